import { parseConfig } from '@ocelli/core-tensor';
import type { SiglipVisionConfigInput } from '@ocelli/encoders';
import type { LlamaConfigInput } from '@ocelli/language';
import type { ResidualManagersConfigInput } from '@ocelli/manager';
import { z } from 'zod';
import type { FittedProjectorConfigInput } from '../projection.js';
import type { VisionConfigInput } from '../vision.js';

/** Structure of a decoder with managers, and what projects features to it; plain data. */
export interface ManagedDecoderConfig {
  /** Width of the vision tower. Default: 1152, that of SigLIP so400m. */
  readonly visionWidth?: number;
  readonly language: LlamaConfigInput;
  /**
   * What projects the last level of the tower, and all managed ones. Its widths may be left out. Default: linear, GELU,
   * linear, as published.
   */
  readonly projector?: FittedProjectorConfigInput;
  /** Width and number of layers of the language model are filled in. */
  readonly managers?: ResidualManagersConfigInput;
  /** Whether there is a newline token behind each row of a grid. Default: true. */
  readonly imageNewline?: boolean;
}

/** Structure of a multimodal model with managers; plain data. */
export interface ManagedVisionLanguageConfig extends Omit<ManagedDecoderConfig, 'visionWidth'> {
  /** Any encoder with levels, by its `type`; without one, a SigLIP tower. Its last level is projected. */
  readonly vision: SiglipVisionConfigInput | VisionConfigInput;
}

/** LLaVA's `mlp2x_gelu`. */
export const publishedProjector = {
  type: 'mlp',
  activation: 'gelu',
  weightStart: 'uniform',
} as const satisfies FittedProjectorConfigInput;

/** The parts check their own configurations. */
const part = z.looseObject({});

const decoderSchema = z.strictObject({
  visionWidth: z.int().positive().default(1152),
  language: part,
  projector: part.optional(),
  managers: part.prefault({}),
  imageNewline: z.boolean().default(true),
});

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseManagedDecoderConfig(config: ManagedDecoderConfig): Required<ManagedDecoderConfig> {
  const { visionWidth, imageNewline } = parseConfig('ManagedDecoder', decoderSchema, config);
  const { language, managers = {}, projector = publishedProjector } = config;
  return { language, managers, projector, visionWidth, imageNewline };
}
