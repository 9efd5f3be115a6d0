import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildGraph } from '../../src/engine/build-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import { startOrtEngine } from '../../src/engine/ort/ort-engine.js';
import {
  ConfigError,
  matmulBnb4,
  matmulNBits,
  normalFloats,
  randomKey,
  vectorJacobianProduct,
} from '../../src/index.js';
import { lower } from '../../src/onnx/lower.js';
import { dequantizeBnb4, quantizeBnb4 } from '../../src/quantization/bnb4.js';
import { dequantizeNBits, type MatrixShape, quantizeNBits } from '../../src/quantization/nbits.js';
import { Tensor, tensor } from '../../src/tensor.js';
import { runOn } from '../support/engines.js';

// With weights that are constants of the program, which is how layers use them and what engines arrange beforehand.
let engine: Engine;

beforeAll(async () => {
  engine = await startOrtEngine({ threads: 1 });
});
afterAll(async () => {
  await engine?.close();
});

/** Largest difference from x·Wᵀ, relative to the largest element. */
function errorOf(y: ArrayLike<number>, x: Float32Array, weight: Float32Array, [outputs, inputs]: MatrixShape): number {
  let [difference, largest] = [0, 0];
  for (let row = 0; row < x.length / inputs; row++) {
    for (let output = 0; output < outputs; output++) {
      let exact = 0;
      for (let k = 0; k < inputs; k++) exact += x[row * inputs + k]! * weight[output * inputs + k]!;
      difference = Math.max(difference, Math.abs(exact - y[row * outputs + output]!));
      largest = Math.max(largest, Math.abs(exact));
    }
  }
  return difference / largest;
}

async function product(fn: (x: Tensor) => Tensor, x: Float32Array, shape: readonly number[]): Promise<Float32Array> {
  const [y] = await runOn(engine, fn, [{ data: x, shape, dtype: 'float32' }]);
  return y!.data as Float32Array;
}

describe.each([
  [4, true],
  [4, false],
  [8, true],
  [8, false],
] as const)('a product with %s-bit codes, symmetric %s', (bits, symmetric) => {
  // The last block of a row is not full, and in one shape the number of blocks is odd.
  const cases = [
    [1, 6, 96, 32],
    [3, 5, 600, 16],
    [65, 4, 72, 16],
    [2, 7, 1100, 512],
    [130, 3, 1100, 1024],
  ] as const;

  test.each(cases)('of %s rows with [%s, %s] in blocks of %s', async (rows, outputs, inputs, blockSize) => {
    const shape = [outputs, inputs] as const;
    const options = { bits, blockSize, symmetric };
    const q = quantizeNBits(normalFloats(randomKey(1), outputs * inputs), shape, options);
    const blocks = Math.ceil(inputs / blockSize);
    const weight = {
      packed: tensor(q.packed, [outputs, blocks, (blockSize * bits) / 8]),
      scales: tensor(q.scales, [outputs, blocks]),
      zeroPoints: q.zeroPoints && tensor(q.zeroPoints, [outputs, q.zeroPoints.length / outputs]),
    };
    const x = normalFloats(randomKey(2), rows * inputs);
    const dequantized = dequantizeNBits(q, shape, options);
    const exact = await product((each) => matmulNBits(each, weight, options), x, [rows, inputs]);
    expect(errorOf(exact, x, dequantized, shape)).toBeLessThan(1e-5);
    // x in 8 bits: half a step is 1/254 of the largest in its block.
    const fast = await product((each) => matmulNBits(each, weight, { ...options, accuracyLevel: 4 }), x, [
      rows,
      inputs,
    ]);
    expect(errorOf(fast, x, dequantized, shape)).toBeLessThan(2e-2);
    expect(errorOf(fast, x, dequantized, shape)).toBeGreaterThan(1e-4);
  });
});

describe.each(['nf4', 'fp4'] as const)('a product with codes of %s', (format) => {
  const cases = [
    [1, 6, 128, 64],
    [3, 5, 48, 64],
    [2, 4, 600, 512],
    [2, 3, 41, 16],
  ] as const;

  test.each(cases)('of %s rows with [%s, %s] in blocks of %s', async (rows, outputs, inputs, blockSize) => {
    const options = { format, blockSize, outputs };
    const q = quantizeBnb4(normalFloats(randomKey(1), outputs * inputs), options);
    const weight = { packed: tensor(q.packed), absmax: tensor(q.absmax) };
    const x = normalFloats(randomKey(2), rows * inputs);
    const dequantized = dequantizeBnb4(q, outputs * inputs, options);
    const exact = await product((each) => matmulBnb4(each, weight, options), x, [rows, inputs]);
    expect(errorOf(exact, x, dequantized, [outputs, inputs])).toBeLessThan(1e-5);
    const fast = await product((each) => matmulBnb4(each, weight, { ...options, accuracyLevel: 4 }), x, [rows, inputs]);
    const error = errorOf(fast, x, dequantized, [outputs, inputs]);
    // Rows of 41 have no blocks of their own that a kernel would know: there level 4 is exact too.
    if (inputs === 41) expect(error).toBeLessThan(1e-5);
    else expect(error).toBeLessThan(2e-2);
  });
});

test('the fast product is used only where codes and scales are constants: else the runtime computes something else', async () => {
  const shape = [4, 64] as const;
  const options = { bits: 4, blockSize: 32, symmetric: true, accuracyLevel: 4 } as const;
  const q = quantizeNBits(normalFloats(randomKey(1), 256), shape, options);
  const packed = tensor(q.packed, [4, 2, 16]);
  const x = normalFloats(randomKey(2), 64);
  const [y] = await runOn(engine, (each, scales) => matmulNBits(each, { packed, scales }, options), [
    { data: x, shape: [1, 64], dtype: 'float32' },
    { data: q.scales, shape: [4, 2], dtype: 'float32' },
  ]);
  expect(errorOf(y!.data as Float32Array, x, dequantizeNBits(q, shape, options), shape)).toBeLessThan(1e-5);
});

test('codes are an initializer of the model, where the runtime can arrange them', () => {
  const scales = tensor(new Float32Array(64).fill(1), [32, 2]);
  const packed = tensor(new Uint8Array(32 * 32), [32, 2, 16]);
  const x = new Tensor([1, 64], 'float32', { kind: 'input' });
  const y = matmulNBits(x, { packed, scales }, { bits: 4, blockSize: 32 });
  const { graph } = buildGraph([y], [x], () => ({ kind: 'constant' }));
  const { model } = lower(graph);
  const [node] = model.nodes.filter(({ op_type }) => op_type === 'MatMulNBits');
  const initializers = model.initializers.map(({ name }) => name);
  expect(node!.input.slice(1).every((name) => initializers.includes(name))).toBe(true);
  expect(node!.domain).toBe('com.microsoft');
  expect(Object.fromEntries(node!.attribute.map(({ name, i }) => [name, i]))).toEqual({
    K: 64,
    N: 32,
    bits: 4,
    block_size: 32,
    accuracy_level: 1,
  });
});

test.each(['nbits', 'nf4'] as const)(
  'the backward pass decodes %s weights when it comes to them, not when the model is loaded',
  (kind) => {
    const x = new Tensor([2, 64], 'float32', { kind: 'input' });
    const dy = new Tensor([2, 32], 'float32', { kind: 'input' });
    const packed = tensor(new Uint8Array(32 * 32), kind === 'nbits' ? [32, 2, 16] : [1024]);
    const scales = tensor(new Float32Array(64).fill(1), [32, 2]);
    const absmax = tensor(new Float32Array(32).fill(1));
    const y =
      kind === 'nbits'
        ? matmulNBits(x, { packed, scales }, { bits: 4, blockSize: 32 })
        : matmulBnb4(x, { packed, absmax }, { format: 'nf4', blockSize: 64, outputs: 32 });
    const { graph } = buildGraph(vectorJacobianProduct([y], [dy], [x]), [x, dy], () => ({ kind: 'constant' }));
    const { nodes, initializers } = lower(graph).model;
    // What is computed from constants alone, the runtime computes once and keeps.
    const constants = new Set(initializers.map(({ name }) => name));
    for (const { input, output } of nodes) if (input.every((name) => constants.has(name))) constants.add(output[0]!);
    const decoding = nodes.filter(({ op_type }) => op_type === 'Gather');
    expect(decoding).toHaveLength(1);
    expect(decoding.some(({ output }) => constants.has(output[0]!))).toBe(false);
  },
);

test('a block size that no format has is refused', () => {
  const parts = { packed: tensor(new Uint8Array(12), [1, 1, 12]), scales: tensor(new Float32Array(1), [1, 1]) };
  expect(() => matmulNBits(tensor([[1]]), parts, { bits: 4, blockSize: 24 })).toThrow(ConfigError);
});
