import { parseConfig } from '@ocelli/core-tensor';
import type { ClipVisionConfigInput } from '@ocelli/encoders';
import type { LlamaConfigInput } from '@ocelli/language';
import type { ProjectorConfigInput } from '@ocelli/projectors';
import { z } from 'zod';

/** Structure of a vision-language model; plain data. */
export interface VisionLanguageConfig {
  readonly vision: ClipVisionConfigInput;
  readonly projector: ProjectorConfigInput;
  readonly language: LlamaConfigInput;
  /** Hidden state of the tower that the projector gets; 0 is the first block's input. Default: −2, as LLaVA-1.5. */
  readonly featureLayer?: number;
  /**
   * Whether there is a learnt row that ends each row of a grid of tiles (LLaVA-NeXT's `image_newline`), which batches with
   * a grid need. Default: false.
   */
  readonly imageNewline?: boolean;
}

/** The parts check their own configurations. */
const part = z.looseObject({});

const schema = z.strictObject({
  vision: part,
  projector: part,
  language: part,
  featureLayer: z.int().default(-2),
  imageNewline: z.boolean().default(false),
});

/**
 * Checks what is around the parts' configurations, and fills in its defaults.
 *
 * @throws ConfigError that names every missing, unknown or invalid field
 */
export function parseVisionLanguageConfig(config: VisionLanguageConfig): Required<VisionLanguageConfig> {
  const { featureLayer, imageNewline } = parseConfig('VisionLanguageModel', schema, config);
  return { ...config, featureLayer, imageNewline };
}
