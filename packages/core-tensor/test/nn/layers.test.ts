import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Conv2d,
  closeEngine,
  Embedding,
  FeedForward,
  gradients,
  initializers,
  LayerNorm,
  LayerNorm2d,
  Linear,
  RMSNorm,
  sum,
  tensor,
  useEngine,
} from '../../src/index.js';
import { expectNumbers } from '../support/expect-numbers.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(async () => {
  await closeEngine();
});

const shapesOf = (module: Linear | Conv2d | LayerNorm | RMSNorm | Embedding | FeedForward) =>
  Object.fromEntries(Object.entries(module.namedParameters()).map(([name, { shape }]) => [name, shape]));

describe('Linear', () => {
  test('multiplies rows by the transposed weight and adds the bias', async () => {
    const layer = new Linear(3, 2);
    layer.floatWeight.set(Float32Array.of(1, 0, -1, 2, 1, 0.5));
    layer.bias!.set(Float32Array.of(10, -10));
    const y = layer.forward(
      tensor([
        [
          [1, 2, 3],
          [-1, 0, 4],
        ],
      ]),
    );
    expect(y.shape).toEqual([1, 2, 2]);
    await expectNumbers(y, [8, -4.5, 5, -10]);
  });

  test('may go without a bias, and starts within ±1/√inputs', async () => {
    const layer = new Linear(16, 64, { bias: false });
    expect(shapesOf(layer)).toEqual({ weight: [64, 16] });
    const values = Array.from((await layer.floatWeight.data()) as Float32Array, Math.abs);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.25);
    expect(Math.max(...values)).toBeGreaterThan(0.24);
  });

  test('has a bias of zeros where the weight is drawn otherwise', async () => {
    const layer = new Linear(2, 3, { initializer: initializers.normal(0, 0.02) });
    await expectNumbers(layer.bias!, [0, 0, 0]);
  });
});

describe('normalization layers', () => {
  test('LayerNorm centres and scales each row', async () => {
    const layer = new LayerNorm(4, 0);
    layer.weight.set(Float32Array.of(1, 2, 1, 1));
    layer.bias.set(Float32Array.of(0, 0, 5, 0));
    // Mean 2.5, biased variance 1.25.
    const unit = [-1.5, -0.5, 0.5, 1.5].map((v) => v / Math.sqrt(1.25));
    await expectNumbers(layer.forward(tensor([[1, 2, 3, 4]])), [unit[0]!, 2 * unit[1]!, unit[2]! + 5, unit[3]!]);
  });

  test('LayerNorm adds ε to the variance', async () => {
    await expectNumbers(new LayerNorm(2, 3).forward(tensor([[-1, 1]])), [-0.5, 0.5]);
    expect(new LayerNorm(2).epsilon).toBe(1e-5);
  });

  test('LayerNorm2d does so over the channels of each pixel', async () => {
    const y = new LayerNorm2d(2, 0).forward(tensor([[[[1, 20]], [[3, 10]]]])); // pixels (1, 3) and (20, 10)
    expect(y.shape).toEqual([1, 2, 1, 2]);
    await expectNumbers(y, [-1, 1, 1, -1]);
  });

  test('RMSNorm divides by the root of the mean square', async () => {
    const layer = new RMSNorm(2, 0);
    layer.weight.set(Float32Array.of(1, 10));
    const root = Math.sqrt(12.5);
    await expectNumbers(layer.forward(tensor([[3, 4]])), [3 / root, 40 / root]);
    expect(shapesOf(layer)).toEqual({ weight: [2] });
  });
});

describe('Embedding', () => {
  test('looks rows up by index', async () => {
    const layer = new Embedding(3, 2);
    layer.weight.set(Float32Array.of(0, 1, 10, 11, 20, 21));
    const y = layer.forward(
      tensor(
        [
          [2, 0],
          [1, 2],
        ],
        undefined,
        'int32',
      ),
    );
    expect(y.shape).toEqual([2, 2, 2]);
    await expectNumbers(y, [20, 21, 0, 1, 10, 11, 20, 21]);
  });

  test('gives no gradient to the padding row, but reads it', async () => {
    const layer = new Embedding(3, 1, { paddingIndex: 1, initializer: () => Float32Array.of(5, 6, 7) });
    const y = layer.forward(tensor([1, 2, 2, 0], undefined, 'int64'));
    const [gradient] = gradients(sum(y), [layer.weight]);
    await expectNumbers(y, [6, 7, 7, 5]);
    await expectNumbers(gradient!, [1, 0, 2]);
  });
});

describe('Conv2d', () => {
  test('correlates with its kernels and adds the bias', async () => {
    const layer = new Conv2d(1, 2, 2);
    layer.weight.set(Float32Array.of(1, 0, 0, 1, 0, 1, -1, 0));
    layer.bias!.set(Float32Array.of(0, 100));
    const y = layer.forward(
      tensor([
        [
          [
            [1, 2, 3],
            [4, 5, 6],
            [7, 8, 9],
          ],
        ],
      ]),
    );
    expect(y.shape).toEqual([1, 2, 2, 2]);
    await expectNumbers(y, [6, 8, 12, 14, 98, 98, 98, 98]);
  });

  test('takes stride, padding and groups', async () => {
    const layer = new Conv2d(4, 4, 3, { groups: 4, stride: 2, padding: 1, bias: false });
    expect(shapesOf(layer)).toEqual({ weight: [4, 1, 3, 3] });
    layer.weight.set(new Float32Array(36).fill(1));
    const y = layer.forward(tensor(new Float32Array(4 * 16).fill(1), [1, 4, 4, 4]));
    expect(y.shape).toEqual([1, 4, 2, 2]);
    await expectNumbers(
      y,
      [0, 1, 2, 3].flatMap(() => [4, 6, 6, 9]),
    );
  });
});

describe('FeedForward', () => {
  test('applies the named activation between its two layers', async () => {
    const layer = new FeedForward(1, 2, 'quick_gelu');
    layer.fc1.floatWeight.set(Float32Array.of(1, -1));
    layer.fc1.bias!.set(Float32Array.of(0, 0));
    layer.fc2.floatWeight.set(Float32Array.of(1, 10));
    layer.fc2.bias!.set(Float32Array.of(0.5));
    const quickGelu = (v: number) => v / (1 + Math.exp(-1.702 * v));
    await expectNumbers(layer.forward(tensor([[2]])), [quickGelu(2) + 10 * quickGelu(-2) + 0.5]);
    expect(shapesOf(layer)).toEqual({ 'fc1.weight': [2, 1], 'fc1.bias': [2], 'fc2.weight': [1, 2], 'fc2.bias': [1] });
  });
});
