import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { initializerRange } from '../initializer.js';

const size = z.int().positive();

const fields = {
  /** Width of the tokens, as in the language model. */
  hiddenSize: size.default(4096),
  /** Heads of an expert. */
  numHeads: size.default(4),
  /** Rank of an expert's projections. */
  rank: size.default(64),
  /**
   * In what the gates' logits and weights are computed. `official`: bfloat16 in the second training step, float16 in
   * evaluation, as the published model was trained. `float32` rounds nothing.
   */
  gatePrecision: z.enum(['official', 'float32']).default('official'),
  initializerRange,
};

const headsDivide: [
  (config: { hiddenSize: number; numHeads: number }) => boolean,
  { path: string[]; message: string },
] = [
  ({ hiddenSize, numHeads }) => hiddenSize % numHeads === 0,
  { path: ['numHeads'], message: 'must divide hiddenSize' },
];

const mixerSchema = z.strictObject(fields).refine(...headsDivide);

const mixersSchema = z
  .strictObject({
    ...fields,
    /** Layers of the decoder, from 0, with a mixer in front of their attention. */
    layers: z
      .array(z.int().nonnegative())
      .min(1)
      .refine((layers) => new Set(layers).size === layers.length, 'must not repeat')
      .default([7, 15, 23, 31]),
  })
  .refine(...headsDivide);

/** Structure of one MoAI-Mixer; plain data. */
export type MoaiMixerConfig = Readonly<z.output<typeof mixerSchema>>;
/** A {@link MoaiMixerConfig} whose fields may be left out: they default to those of MoAI-7B. */
export type MoaiMixerConfigInput = Readonly<z.input<typeof mixerSchema>>;

/** Structure of the mixers of a decoder; plain data. */
export type MoaiMixersConfig = Readonly<z.output<typeof mixersSchema>>;
/** A {@link MoaiMixersConfig} whose fields may be left out: they default to those of MoAI-7B. */
export type MoaiMixersConfigInput = Readonly<z.input<typeof mixersSchema>>;

/** @throws ConfigError that names every unknown or invalid field */
export function parseMoaiMixerConfig(config: MoaiMixerConfigInput): MoaiMixerConfig {
  return parseConfig('parseMoaiMixerConfig', mixerSchema, config);
}

/** @throws ConfigError that names every unknown or invalid field */
export function parseMoaiMixersConfig(config: MoaiMixersConfigInput): MoaiMixersConfig {
  return parseConfig('parseMoaiMixersConfig', mixersSchema, config);
}
