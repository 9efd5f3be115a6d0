import { parseConfig } from '@ocelli/core-tensor';
import type { LlamaConfigInput } from '@ocelli/language';
import type { ProjectorConfig } from '@ocelli/projectors';
import { z } from 'zod';
import type { FittedProjectorConfigInput } from './projection.js';
import type { VisionConfig, VisionConfigInput } from './vision.js';

/** Structure of a vision-language model; plain data. */
export interface VisionLanguageConfig {
  /** Any encoder, by its `type`; without one, a CLIP tower. */
  readonly vision: VisionConfigInput;
  /** Its widths, and its number of features, may be left out. */
  readonly projector: FittedProjectorConfigInput;
  readonly language: LlamaConfigInput;
  /**
   * Hidden state of the encoder that the projector gets; 0 is the first block's input. Default: the encoder's, such as −2
   * for CLIP, as in LLaVA-1.5.
   */
  readonly featureLayer?: number | undefined;
  /**
   * Whether there is a learnt row that ends each row of a grid of tiles (LLaVA-NeXT's `image_newline`), which batches with
   * a grid need. Default: false.
   */
  readonly imageNewline?: boolean;
}

/** A {@link VisionLanguageConfig} with its defaults filled in. */
export interface ResolvedVisionLanguageConfig extends VisionLanguageConfig {
  readonly vision: VisionConfig;
  readonly projector: ProjectorConfig;
  readonly imageNewline: boolean;
}

/** The parts check their own configurations. */
const part = z.looseObject({});

const schema = z.strictObject({
  vision: part,
  projector: part,
  language: part,
  featureLayer: z.int().optional(),
  imageNewline: z.boolean().default(false),
});

/**
 * Checks what is around the parts' configurations, and fills in its defaults.
 *
 * @throws ConfigError that names every missing, unknown or invalid field
 */
export function parseVisionLanguageConfig(
  config: VisionLanguageConfig,
): VisionLanguageConfig & { readonly imageNewline: boolean } {
  const { imageNewline } = parseConfig('VisionLanguageModel', schema, config);
  return { ...config, imageNewline };
}
