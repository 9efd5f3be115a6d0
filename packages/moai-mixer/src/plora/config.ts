import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { initializerRange } from '../initializer.js';

const schema = z.strictObject({
  /** Width of the low-rank product. */
  rank: z.int().positive().default(256),
  /** The product's factor is alpha / rank. */
  alpha: z.number().positive().default(256),
  /** Share of the input that is dropped in training. */
  dropout: z.number().min(0).lt(1).default(0.05),
  initializerRange,
});

/** Structure of partial LoRA; plain data. */
export type PartialLoraConfig = Readonly<z.output<typeof schema>>;

/** A {@link PartialLoraConfig} whose fields may be left out: they default to those of InternLM-XComposer2 and MoAI. */
export type PartialLoraConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every unknown or invalid field */
export function parsePartialLoraConfig(config: PartialLoraConfigInput): PartialLoraConfig {
  return parseConfig('parsePartialLoraConfig', schema, config);
}
