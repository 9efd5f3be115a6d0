import { describe, expect, test } from 'vitest';
import {
  add,
  checkpoint,
  Embedding,
  exp,
  gradients,
  LayerNorm,
  Linear,
  Module,
  matmul,
  mul,
  peakActivationBytes,
  placeholder,
  prepareQuantized,
  type QuantizedWeight,
  recordGraph,
  reshape,
  square,
  sum,
  type Tensor,
  tanh,
  weightBytes,
} from '../../src/index.js';

const kilobyte = (x: Tensor) => peakActivationBytes(recordGraph([x])) / 1024;

describe('peakActivationBytes', () => {
  const x = placeholder([16, 16]); // 1 KB

  test('counts what is alive at once, not the inputs', () => {
    const weight = new Linear(16, 16).floatWeight;
    const chain = (depth: number) => {
      let h: Tensor = x;
      for (let i = 0; i < depth; i++) h = matmul(h, weight);
      return h;
    };
    expect(kilobyte(chain(1))).toBe(1);
    // A product reads what the one before wrote.
    expect(kilobyte(chain(2))).toBe(2);
    expect(kilobyte(chain(9))).toBe(2);
    const first = matmul(x, weight);
    expect(kilobyte(matmul(matmul(matmul(first, weight), weight), first))).toBe(3);
  });

  test('takes elementwise operations as done in place, and new shapes as no copies', () => {
    const y = matmul(x, x);
    expect(kilobyte(exp(tanh(exp(y))))).toBe(1);
    expect(kilobyte(add(exp(y), y))).toBe(2);
    expect(kilobyte(reshape(exp(reshape(y, [4, 64])), [256]))).toBe(1);
  });

  test('counts halves as half, and integers as they are', () => {
    const y = matmul(x, x);
    expect(peakActivationBytes(recordGraph([y]), { floatBytes: 2 })).toBe(512);
    const mixed = recordGraph([matmul(matmul(x, x), x)]);
    expect(peakActivationBytes(mixed, { floatBytes: 2 })).toBe(1024);
  });

  test('keeps what the backward pass reads', () => {
    const weights = Array.from({ length: 8 }, () => new Linear(16, 16).floatWeight);
    const step = (wrap: (fn: (h: Tensor) => Tensor) => (h: Tensor) => Tensor, trained = weights) => {
      let h: Tensor = x;
      for (const weight of weights) h = wrap((each) => tanh(matmul(each, weight)))(h);
      const loss = sum(square(h));
      return peakActivationBytes(recordGraph([loss], gradients(loss, trained))) / 1024;
    };
    const plain = step((fn) => fn);
    // One value of each tanh, and a few beside; gradients are not counted.
    expect(plain).toBeGreaterThanOrEqual(8);
    expect(plain).toBeLessThanOrEqual(12);
    // Frozen layers at the front keep nothing.
    expect(step((fn) => fn, weights.slice(6))).toBeLessThanOrEqual(plain - 4);
    const halves = (fn: (h: Tensor) => Tensor) => (h: Tensor) => checkpoint(fn)(h);
    expect(step(halves)).toBeGreaterThanOrEqual(8);
    expect(weights.some((weight) => weight.isMaterialized)).toBe(false);
  });

  test('is less where parts are computed again', () => {
    const weights = Array.from({ length: 12 }, () => new Linear(16, 16).floatWeight);
    const block = (from: number) => (h: Tensor) =>
      weights.slice(from, from + 4).reduce((each, weight) => tanh(mul(matmul(each, weight), 2)), h);
    const step = (wrap: (fn: (h: Tensor) => Tensor) => (h: Tensor) => Tensor) => {
      const loss = sum(square(wrap(block(8))(wrap(block(4))(wrap(block(0))(x)))));
      return peakActivationBytes(recordGraph([loss], gradients(loss, weights)));
    };
    expect(step((fn) => checkpoint(fn))).toBeLessThan(0.75 * step((fn) => fn));
  });
});

describe('weightBytes', () => {
  class Model extends Module {
    readonly embed_tokens = new Embedding(10, 40);
    readonly fc = new Linear(40, 6);
    readonly norm = new LayerNorm(6);
    readonly lm_head = new Linear(6, 10, { bias: false });
  }
  const rest = 10 * 40 + 6 + 12 + 60;

  test('counts floats as asked', () => {
    expect(weightBytes(new Model())).toBe(4 * (rest + 240));
    expect(weightBytes(new Model(), { floatBytes: 2 })).toBe(2 * (rest + 240));
  });

  test('counts quantized weights as they are', () => {
    const model = new Model();
    prepareQuantized(model, { format: 'nbits', bits: 4, blockSize: 32 });
    const { quantization } = model.fc.weight as QuantizedWeight;
    // Two blocks of 32 in a row of 40, each with a scale; the configuration is kept beside them.
    expect(weightBytes(model)).toBe(4 * rest + 6 * 2 * (16 + 4) + quantization.size);
    expect(Object.values(model.namedParameters()).some((parameter) => parameter.isMaterialized)).toBe(false);
  });
});
