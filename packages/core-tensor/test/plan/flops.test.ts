import { describe, expect, test } from 'vitest';
import {
  attention,
  Conv2d,
  convTranspose2d,
  countFlops,
  countGraphFlops,
  extrapolateGraph,
  GraphError,
  gelu,
  gradients,
  Linear,
  matmul,
  mul,
  placeholder,
  recordGraph,
  softmax,
  sum,
  type Tensor,
  valueAndGrad,
} from '../../src/index.js';

describe('countFlops', () => {
  test('counts two for each multiplication of a matrix product', () => {
    const a = placeholder([5, 2, 3]);
    const b = placeholder([7, 3]);
    expect(countFlops([matmul(a, b, { transposeB: true })])).toEqual({
      matmul: 2 * 5 * 2 * 3 * 7,
      convolution: 0,
      elementwise: 0,
    });
    const transposed = matmul(placeholder([3, 2]), placeholder([3, 7]), { transposeA: true });
    expect(countFlops([transposed]).matmul).toBe(2 * 2 * 3 * 7);
  });

  test('counts the whole score matrix of attention', () => {
    const q = placeholder([2, 4, 10, 8]);
    const kv = placeholder([2, 2, 12, 8]);
    const { matmul: products, elementwise } = countFlops([attention(q, kv, kv)]);
    expect(products).toBe(2 * (2 * 2 * 4 * 10 * 12 * 8));
    expect(elementwise).toBe(2 * 4 * 10 * 8 + 5 * (2 * 4 * 10 * 12));
  });

  test('counts convolutions by their groups, and transposed ones by their input', () => {
    const conv = new Conv2d(6, 8, 3, { stride: 2, padding: 1, groups: 2 });
    const { convolution, elementwise } = countFlops([conv.forward(placeholder([1, 6, 10, 10]))]);
    expect(convolution).toBe(2 * 8 * 5 * 5 * (3 * 3 * 3));
    expect(elementwise).toBe(8 * 5 * 5);
    const back = convTranspose2d(placeholder([1, 6, 5, 5]), placeholder([6, 4, 2, 2]), { stride: 2 });
    expect(countFlops([back]).convolution).toBe(2 * 6 * 5 * 5 * (4 * 2 * 2));
  });

  test('counts what several tensors share once, and moving data never', () => {
    const x = placeholder([4, 6]);
    const shared = mul(x, 2);
    expect(countFlops([shared, sum(shared)]).elementwise).toBe(24 + 24);
    expect(countFlops([softmax(x, -1)]).elementwise).toBe(5 * 24);
  });

  test('counts a step of training as three times the products of a layer between others', () => {
    const layers = [new Linear(16, 16, { bias: false }), new Linear(16, 16, { bias: false })];
    const x = placeholder([32, 16]);
    const forward = () => sum(layers[1]!.forward(layers[0]!.forward(x)));
    const one = 2 * 32 * 16 * 16;
    expect(countFlops([forward()]).matmul).toBe(2 * one);
    const { value, grads } = valueAndGrad(forward, { a: layers[0]!.floatWeight, b: layers[1]!.floatWeight });
    // The first layer's input needs no gradient.
    expect(countFlops([value, ...Object.values(grads)]).matmul).toBe(5 * one);
    expect(layers[0]!.floatWeight.isMaterialized).toBe(false);
  });
});

describe('extrapolateGraph', () => {
  const weight = new Linear(8, 8).floatWeight;
  const record = (size: number) => {
    const x = matmul(placeholder([2, size, 8]), weight);
    const scores = softmax(matmul(x, x, { transposeB: true }), -1);
    const loss = sum(gelu(matmul(scores, x)));
    return recordGraph([loss], gradients(loss, [weight]));
  };

  test('gives the graph of any size', () => {
    for (const size of [1, 200, 1000]) {
      const [direct, extrapolated] = [record(size), extrapolateGraph(record, size)];
      expect(extrapolated.graph.nodes.map(({ shape }) => shape)).toEqual(direct.graph.nodes.map(({ shape }) => shape));
      expect(countGraphFlops(extrapolated.graph)).toEqual(countGraphFlops(direct.graph));
    }
  });

  test('refuses what does not grow evenly', () => {
    const uneven = (size: number) => recordGraph([mul(placeholder([size ** 2]), 2)]);
    expect(() => extrapolateGraph(uneven, 1000)).toThrow(GraphError);
    const other = (size: number) =>
      recordGraph([size < 300 ? (mul(placeholder([size]), 2) as Tensor) : placeholder([size])]);
    expect(() => extrapolateGraph(other, 1000)).toThrow(/the same operations at every size/);
  });
});

test('a placeholder has no values', async () => {
  const x = placeholder([2, 3], 'int32');
  expect([x.shape, x.dtype]).toEqual([[2, 3], 'int32']);
  await expect(x.data()).rejects.toThrow(GraphError);
});
