import { closeEngine, dispose, tensor } from '@ocelli/core-tensor';
import * as ort from 'onnxruntime-node';
import { interleaved, report } from '../../core-tensor/bench/measure.js';
import { decodePrograms } from '../src/generation/programs.js';
import { benchLlama } from './bench-llama.js';
import { decodeWithPast, sessionWithPast, type WriteProduct } from './llama-with-past.js';

/**
 * Tokens per second of a LLaMA with 127M random parameters behind 1,024 tokens, one row: this package's steps against a
 * loop that passes keys and values through an ONNX session, and against reading the weights once per token.
 */
const model = benchLlama();
const { config } = model;
const context = 1024;
const count = 32;

const state = await model.state();
const weights = new Map(Object.entries(state).map(([name, { data }]) => [name, data as Float32Array]));
const shapes = new Map(Object.entries(state).map(([name, { shape }]) => [name, shape]));

/** [outputs, inputs] → [inputs, outputs], as exporters store weights. */
function transposed(values: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  return result;
}

const floatProduct: WriteProduct = (builder, x, name) => {
  const shape = shapes.get(name) as [number, number];
  return builder.emit('MatMul', [
    x,
    builder.constant(transposed(weights.get(name)!, shape), [shape[1], shape[0]], 'float32'),
  ]);
};

const prompt = Int32Array.from({ length: context }, (_, i) => (i * 7919) % config.vocabSize);
const { prefill, step } = decodePrograms(model);
const capacity = context + 2 * count;

async function readPrompt() {
  return prefill({ inputIds: tensor(prompt, [1, context]) }, capacity);
}

const first = await readPrompt();
const token = ((await first.likeliest.data()) as Int32Array)[0]!;
const past = Object.fromEntries(
  await Promise.all(
    (['keys', 'values'] as const).flatMap((kind) =>
      first.cache[kind].map(async (x, layer) => {
        const all = (await x.data()) as Float32Array;
        const { numKeyValueHeads: heads, headDim } = config;
        const used = new Float32Array(heads * context * headDim);
        for (let head = 0; head < heads; head++) {
          const start = head * capacity * headDim;
          used.set(all.subarray(start, start + context * headDim), head * context * headDim);
        }
        const name = `past_key_values.${layer}.${kind === 'keys' ? 'key' : 'value'}`;
        return [name, new ort.Tensor('float32', used, [1, heads, context, headDim])] as const;
      }),
    ),
  ),
);

let written: number[] = [];
async function decode(): Promise<number> {
  let current = await readPrompt();
  let next = (await current.likeliest.data()) as Int32Array;
  written = [];
  const start = performance.now();
  for (let index = 0; index < count; index++) {
    current = await step(tensor(Int32Array.from(next)), current.cache);
    next = (await current.likeliest.data()) as Int32Array;
    written.push(next[0]!);
  }
  const seconds = (performance.now() - start) / 1000;
  dispose([...current.cache.keys, ...current.cache.values]);
  return seconds;
}

const session = await sessionWithPast(config, weights, floatProduct);
let expected: number[] = [];
async function decodePeer(): Promise<number> {
  const start = performance.now();
  expected = await decodeWithPast(session, config, past, { token, position: context, count });
  return (performance.now() - start) / 1000;
}

const [ours, peer] = await interleaved(decode, decodePeer);
if (written.join() !== expected.join()) throw new Error(`the two sides disagree: ${written} and ${expected}`);
const ratio = peer!.median / ours!.median;
report('decode-float32', ratio, '>= 1.2', ratio >= 1.2, {
  tokensPerSecond: count / ours!.median,
  peerTokensPerSecond: count / peer!.median,
});
await closeEngine();
