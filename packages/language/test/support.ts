import { argMax, initializers, randomKey, select, type Tensor, tensor } from '@ocelli/core-tensor';
import { Llama, type LlamaConfigInput } from '../src/index.js';

/** A decoder small enough for any test, with grouped queries. */
export const smallConfig = {
  vocabSize: 31,
  hiddenSize: 32,
  intermediateSize: 48,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
} as const satisfies LlamaConfigInput;

/** A model with large random weights: its answers vary. */
export function smallModel(config: LlamaConfigInput = {}, seed = 1): Llama {
  return new Llama({ ...smallConfig, initializerRange: 0.4, ...config }).initialize(seed);
}

/** Standard normal numbers of a shape; the same each time. */
export function normalTensor(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('test')), shape);
}

export function ids(rows: readonly (readonly number[])[]): Tensor {
  return tensor(Int32Array.from(rows.flat()), [rows.length, rows[0]!.length]);
}

/** Greedy decoding of one prompt the slow way: the whole sequence again for every token. */
export async function decodeWithoutCache(model: Llama, prompt: readonly number[], count: number): Promise<number[]> {
  const sequence = [...prompt];
  for (let step = 0; step < count; step++) {
    const { logits } = model.forward({ inputIds: ids([sequence]) });
    sequence.push(await argMax(select(logits, 1, -1), -1).item());
  }
  return sequence.slice(prompt.length);
}

/** Largest difference of two lists of numbers. */
export async function difference(a: Tensor, b: Tensor): Promise<number> {
  const [x, y] = (await Promise.all([a.data(), b.data()])) as [Float32Array, Float32Array];
  if (x.length !== y.length) return Number.POSITIVE_INFINITY;
  return x.reduce((most, value, index) => Math.max(most, Math.abs(value - y[index]!)), 0);
}
