import { closeEngine, dispose, QuantizedWeight, quantizeModule, tensor } from '@ocelli/core-tensor';
import * as ort from 'onnxruntime-node';
import { interleaved, report } from '../../core-tensor/bench/measure.js';
import { type DecodeState, decodePrograms } from '../src/generation/programs.js';
import type { Llama } from '../src/llama/llama.js';
import { benchLlama } from './bench-llama.js';
import { readWithPast, sessionWithPast, type WriteProduct } from './llama-with-past.js';

/**
 * Tokens per second of a LLaMA with 127M random parameters behind 1,024 tokens, one row: this package's steps against a
 * loop that passes keys and values through an ONNX session with the same weights, and against reading the weights once
 * per token as fast as this process copies an array.
 */
const context = 1024;
const count = 32;
const capacity = context + 2 * count;

/** Difference of the logits relative to the largest one: what 8-bit activations make of rounding. */
const tolerance = 0.02;

/** [outputs, inputs] → [inputs, outputs], as exporters store weights. */
function transposed(values: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  return result;
}

/** Keys and values of a prompt as the arguments of a session, without the room behind. */
async function pastOf({ cache }: DecodeState): Promise<Record<string, ort.Tensor>> {
  const entries = (['key', 'value'] as const).flatMap((kind) =>
    cache[`${kind}s`].map(async (x, layer) => {
      const all = (await x.data()) as Float32Array;
      const [, heads, places, width] = x.shape as [number, number, number, number];
      const used = new Float32Array(heads * context * width);
      for (let head = 0; head < heads; head++) {
        const start = head * places * width;
        used.set(all.subarray(start, start + context * width), head * context * width);
      }
      return [`past_key_values.${layer}.${kind}`, new ort.Tensor('float32', used, [1, heads, context, width])] as const;
    }),
  );
  return Object.fromEntries(await Promise.all(entries));
}

const source = new Float32Array(64 * 2 ** 20).fill(1);
const destination = new Float32Array(source.length);

/** Seconds in which this process copies half a gigabyte: reads 256 MiB, writes as much. */
async function copy(): Promise<number> {
  const start = performance.now();
  destination.set(source);
  return (performance.now() - start) / 1000;
}

interface Side {
  readonly name: string;
  readonly target: number;
  readonly accuracyLevel: number;
}

async function compare(model: Llama, { name, target, accuracyLevel }: Side, writeProduct: WriteProduct): Promise<void> {
  const { config } = model;
  const prompt = Int32Array.from({ length: context }, (_, i) => (i * 7919) % config.vocabSize);
  const { prefill, step } = decodePrograms(model);
  const readPrompt = () => prefill({ inputIds: tensor(prompt, [1, context]) }, capacity);
  const weights = new Map<string, Float32Array>();
  for (const [path, parameter] of Object.entries(model.namedParameters())) {
    if (parameter.dtype === 'float32') weights.set(path, (await parameter.data()) as Float32Array);
  }
  const session = await sessionWithPast(config, weights, writeProduct);
  const past = await pastOf(await readPrompt());
  // Both read the same tokens, so that rounding does not lead them apart.
  const tokens = prompt.slice(0, count);

  let logits: Float32Array = new Float32Array();
  const decode = async () => {
    let current = await readPrompt();
    await current.likeliest.data();
    const start = performance.now();
    for (const token of tokens) {
      current = await step(tensor(Int32Array.of(token)), current.cache);
      await current.likeliest.data();
    }
    const seconds = (performance.now() - start) / 1000;
    logits = (await current.logits.data()) as Float32Array;
    dispose([...current.cache.keys, ...current.cache.values]);
    return seconds;
  };
  let expected: Float32Array = new Float32Array();
  const decodePeer = async () => {
    const start = performance.now();
    expected = await readWithPast(session, past, tokens, context);
    return (performance.now() - start) / 1000;
  };

  const [ours, peer, copying] = await interleaved(decode, decodePeer, copy);
  const scale = expected.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
  const difference = logits.reduce((largest, each, id) => Math.max(largest, Math.abs(each - expected[id]!)), 0) / scale;
  if (!(difference < tolerance)) throw new Error(`the two sides disagree by ${difference}`);
  const ratio = peer!.median / ours!.median;
  report(name, ratio, `>= ${target}`, ratio >= target, {
    accuracyLevel,
    difference,
    tokensPerSecond: count / ours!.median,
    peerTokensPerSecond: count / peer!.median,
  });
  const bandwidth = (2 * source.byteLength) / copying!.median;
  const floor = bytesPerToken(model) / bandwidth;
  const share = (floor * count) / ours!.median;
  report(`${name}-of-bandwidth`, share, '>= 0.6', share >= 0.6, {
    megabytesPerToken: bytesPerToken(model) / 1e6,
    gigabytesPerSecond: bandwidth / 1e9,
  });
}

/** Bytes of the weights that a token needs: all but the token table, of which one row is read. */
function bytesPerToken(model: Llama): number {
  return Object.entries(model.namedParameters())
    .filter(([path]) => path !== 'model.embed_tokens.weight')
    .reduce((sum, [, { size, dtype }]) => sum + size * (dtype === 'uint8' ? 1 : 4), 0);
}

const model = benchLlama();
const shapes = Object.fromEntries(Object.entries(model.namedParameters()).map(([path, { shape }]) => [path, shape]));
const floats = await model.state();
await compare(model, { name: 'decode-float32', target: 1.2, accuracyLevel: 1 }, (builder, x, path) => {
  const [rows, columns] = shapes[path] as [number, number];
  const weight = transposed(floats[path]!.data as Float32Array, [rows, columns]);
  return builder.emit('MatMul', [x, builder.constant(weight, [columns, rows], 'float32')]);
});

const blockSize = 32;
for (const accuracyLevel of [1, 4] as const) {
  await quantizeModule(model, { bits: 4, blockSize, head: true, accuracyLevel });
  const layers = model.namedModules();
  const parts = new Map<string, { packed: Uint8Array; scales: Float32Array; shape: readonly [number, number] }>();
  for (const [path, weight] of Object.entries(layers)) {
    if (!(weight instanceof QuantizedWeight)) continue;
    const packed = (await weight.packed.data()) as Uint8Array;
    parts.set(path, { packed, scales: (await weight.scales!.data()) as Float32Array, shape: weight.shape });
  }
  const name = accuracyLevel === 1 ? 'decode-int4' : 'decode-int4-level-4';
  await compare(model, { name, target: 1.5, accuracyLevel }, (builder, x, path) => {
    const { packed, scales, shape } = parts.get(path)!;
    const [rows, columns] = shape;
    const blocks = columns / blockSize;
    return builder.emit(
      'MatMulNBits',
      [
        x,
        builder.constant(packed, [rows, blocks, blockSize / 2], 'uint8'),
        builder.constant(scales, [rows * blocks], 'float32'),
      ],
      {
        K: { int: columns },
        N: { int: rows },
        bits: { int: 4 },
        block_size: { int: blockSize },
        accuracy_level: { int: accuracyLevel },
      },
      'com.microsoft',
    );
  });
}
await closeEngine();
