import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type LlamaConfig, parseLlamaConfig } from './config.js';

const fileSchema = z.object({
  dim: z.number(),
  n_layers: z.number(),
  n_heads: z.number(),
  n_kv_heads: z.number().optional(),
  vocab_size: z.number().optional(),
  multiple_of: z.int().positive().default(256),
  ffn_dim_multiplier: z.number().nullish(),
  norm_eps: z.number().default(1e-5),
  rope_theta: z.number().default(10000),
  use_scaled_rope: z.boolean().default(false),
});

/** Of LLaMA 3.1; the files only say whether positions are scaled. */
const scaledRope = {
  type: 'llama3',
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 8192,
} as const;

/**
 * The decoder that Meta's `params.json` describes. What the file leaves to the program follows from the generation of
 * the model: its vocabulary is that of the token table, and it was trained for 2,048, 4,096, 8,192 or 131,072 positions.
 *
 * Source: `meta-llama/llama3`, `llama/model.py`.
 *
 * @param json the parsed file
 * @param vocabSize rows of the token table
 * @throws ConfigError that names every missing or invalid field
 */
export function llamaConfigFromMeta(json: unknown, vocabSize: number): LlamaConfig {
  const file = parseConfig('llamaConfigFromMeta', fileSchema, json);
  const { dim, multiple_of: multipleOf, ffn_dim_multiplier: multiplier } = file;
  const hidden = Math.floor((2 * 4 * dim) / 3);
  const scaled = multiplier ? Math.floor(multiplier * hidden) : hidden;
  return parseLlamaConfig({
    vocabSize,
    hiddenSize: dim,
    intermediateSize: multipleOf * Math.ceil(scaled / multipleOf),
    numHiddenLayers: file.n_layers,
    numAttentionHeads: file.n_heads,
    ...(file.n_kv_heads === undefined ? {} : { numKeyValueHeads: file.n_kv_heads }),
    rmsNormEps: file.norm_eps,
    ropeTheta: file.rope_theta,
    ropeScaling: file.use_scaled_rope ? scaledRope : null,
    maxPositionEmbeddings: trainedPositions(file),
  });
}

function trainedPositions(file: z.output<typeof fileSchema>): number {
  if (file.use_scaled_rope) return 131072;
  if (file.rope_theta > 10000) return 8192;
  // LLaMA 1 and 2 differ in this alone.
  return file.norm_eps < 1e-5 ? 2048 : 4096;
}
