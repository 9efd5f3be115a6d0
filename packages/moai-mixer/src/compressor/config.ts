import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { initializerRange } from '../initializer.js';

const size = z.int().positive();

const schema = z.strictObject({
  /** Width of the tokens, as in the language model. */
  hiddenSize: size.default(4096),
  /** Number of layers. */
  depth: size.default(4),
  numHeads: size.default(4),
  /** Width of a head. */
  headDim: size.default(64),
  /** Tokens that come out. */
  numLatents: size.default(64),
  /** Width inside the feed-forward parts, as a multiple of `hiddenSize`. */
  feedForwardMultiplier: z.number().positive().default(1),
  /**
   * What is added to the tokens that come in. `none` is the published model, which does not see their order: names and
   * coordinates are a bag of words to it. `sinusoidal` is an experiment beyond it.
   */
  positions: z.enum(['none', 'sinusoidal']).default('none'),
  initializerRange,
});

/** Structure of a MoAI-Compressor; plain data. */
export type MoaiCompressorConfig = Readonly<z.output<typeof schema>>;

/** A {@link MoaiCompressorConfig} whose fields may be left out: they default to those of MoAI-7B. */
export type MoaiCompressorConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every unknown or invalid field */
export function parseMoaiCompressorConfig(config: MoaiCompressorConfigInput): MoaiCompressorConfig {
  return parseConfig('parseMoaiCompressorConfig', schema, config);
}
