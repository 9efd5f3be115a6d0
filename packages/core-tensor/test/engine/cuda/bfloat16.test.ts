import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCudaEngine } from '../../../src/engine/cuda/cuda-engine.js';
import type { Engine } from '../../../src/engine/engine.js';
import { startReferenceEngine } from '../../../src/engine/reference/reference-engine.js';
import {
  add,
  attention,
  conv2d,
  crossEntropy,
  gelu,
  gradients,
  layerNorm,
  linear,
  matmul,
  mergeHeads,
  mul,
  reshape,
  rmsNorm,
  silu,
  splitHeads,
  sum,
  type Tensor,
  transpose,
} from '../../../src/index.js';
import { numbersOf } from '../../support/close.js';
import { runOn, type TensorFunction } from '../../support/engines.js';
import { type InputSpec, materialize, uniform } from '../../support/host-tensor.js';
import { deviceUnderTest } from './software-engine.js';

const device = await deviceUnderTest();
const search = 'skipped' in device ? undefined : device.search;

/** ‖a − b‖ / ‖b‖ */
function distance(a: readonly number[], b: readonly number[]): number {
  const length = (values: readonly number[]) => Math.sqrt(values.reduce((total, x) => total + x * x, 0));
  return length(a.map((x, i) => x - b[i]!)) / length(b);
}

const weight = (rows: number, columns: number) => uniform([rows, columns], { low: -0.2, high: 0.2 });

const networks: Readonly<Record<string, { readonly inputs: readonly InputSpec[]; readonly fn: TensorFunction }>> = {
  'a two-layer perceptron': {
    inputs: [uniform([40, 32]), weight(64, 32), weight(24, 64)],
    fn: (x: Tensor, up: Tensor, down: Tensor) => linear(gelu(linear(x, up)), down),
  },
  'a decoder layer': {
    inputs: [
      uniform([2, 12, 32]),
      weight(32, 32),
      weight(16, 32),
      weight(16, 32),
      weight(32, 32),
      weight(96, 32),
      weight(96, 32),
      weight(32, 96),
      uniform([32], { low: 0.8, high: 1.2 }),
    ],
    fn: (
      x: Tensor,
      q: Tensor,
      k: Tensor,
      v: Tensor,
      o: Tensor,
      gate: Tensor,
      up: Tensor,
      down: Tensor,
      norm: Tensor,
    ) => {
      const normalized = rmsNorm(x, norm);
      const heads = (w: Tensor, count: number) => splitHeads(linear(normalized, w), count);
      const mixed = mergeHeads(attention(heads(q, 4), heads(k, 2), heads(v, 2), { causal: true }));
      const hidden = add(x, linear(mixed, o));
      const again = rmsNorm(hidden, norm);
      return add(hidden, linear(mul(silu(linear(again, gate)), linear(again, up)), down));
    },
  },
  'a convolutional block': {
    inputs: [uniform([2, 16, 8, 8]), uniform([16, 1, 7, 7], { low: -0.1, high: 0.1 }), weight(64, 16), weight(16, 64)],
    fn: (x: Tensor, depthwise: Tensor, up: Tensor, down: Tensor) => {
      const mixed = conv2d(x, depthwise, { padding: 3, groups: 16 });
      const rows = layerNorm(reshape(transpose(mixed, [0, 2, 3, 1]), [128, 16]));
      return linear(gelu(linear(rows, up)), down);
    },
  },
  'a loss over a vocabulary': {
    inputs: [uniform([24, 32]), weight(200, 32), uniform([24], { low: 0, high: 200, dtype: 'int32' })],
    fn: (x: Tensor, head: Tensor, targets: Tensor) => crossEntropy(matmul(x, head, { transposeB: true }), targets),
  },
};

describe.skipIf('skipped' in device)('the cuda engine under bfloat16', () => {
  let engine: Engine;
  let reference: Engine;

  beforeAll(async () => {
    engine = await startCudaEngine({ kernelCache: false, precision: 'bfloat16' }, search);
    reference = await startReferenceEngine();
  }, 120_000);
  afterAll(async () => {
    await engine?.close();
    await reference?.close();
  });

  test.each(Object.entries(networks))('computes %s and its gradients to a hundredth', async (_, { inputs, fn }) => {
    const values = materialize(inputs);
    const withGradients: TensorFunction = (...all: Tensor[]) => {
      const out = fn(...all) as Tensor;
      return [
        out,
        ...gradients(
          sum(mul(out, out)),
          all.filter(({ dtype }) => dtype === 'float32'),
        ),
      ];
    };
    const expected = await runOn(reference, withGradients, values);
    const actual = await runOn(engine, withGradients, values);
    const errors = actual.map((each, index) => distance(numbersOf(each), numbersOf(expected[index]!)));
    // It is rounding that is seen, and no more.
    expect(Math.max(...errors)).toBeGreaterThan(1e-6);
    expect(Math.max(...errors)).toBeLessThan(1e-2);
  });
});
