import { afterAll, describe, expect, test } from 'vitest';
import {
  CheckpointError,
  ConfigError,
  cast,
  closeEngine,
  compile,
  gradients,
  Linear,
  linear,
  mul,
  normalFloats,
  type QuantizationConfigInput,
  QuantizationError,
  QuantizedWeight,
  randomKey,
  ShapeError,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { expectNumbers, numbersIn } from '../support/expect-numbers.js';

afterAll(closeEngine);

const configs: readonly QuantizationConfigInput[] = [
  {},
  { bits: 4, blockSize: 16, symmetric: false },
  { format: 'nbits', bits: 8, blockSize: 64 },
  { bits: 8, blockSize: 16, symmetric: false },
  { format: 'nf4' },
  { format: 'nf4', doubleQuantized: true, blockSize: 16 },
  { format: 'fp4', blockSize: 128 },
  { format: 'int8' },
];

describe.each(configs.map((config) => [JSON.stringify(config), config] as const))('a weight of %s', (_name, config) => {
  // Inputs that no block size divides.
  const shape = [6, 88] as const;
  const values = normalFloats(randomKey(1), 6 * 88);
  const weight = new QuantizedWeight(shape, config);
  weight.setFromFloat(values);

  test('is close to its values, and the same on host and engine', async () => {
    const floats = await weight.toFloat();
    const error = Math.hypot(...floats.map((value, i) => value - values[i]!)) / Math.hypot(...values);
    expect(error).toBeGreaterThan(1e-4);
    expect(error).toBeLessThan(weight.config.format === 'int8' || JSON.stringify(config).includes('8,') ? 0.02 : 0.16);
    await expectNumbers(weight.dequantized(), Array.from(floats), 6);
  });

  test('multiplies like the floats behind it', async () => {
    const x = tensor(normalFloats(randomKey(2), 3 * 88), [3, 1, 88]);
    const bias = tensor([1, 2, 3, 4, 5, 6]);
    const expected = linear(x, tensor(await weight.toFloat(), shape), bias);
    expect(expected.shape).toEqual([3, 1, 6]);
    await expectNumbers(weight.linear(x, bias), await numbersIn(expected), 4);
    const compiled = compile((each: Tensor) => weight.linear(each, bias));
    await expectNumbers(await compiled(x), await numbersIn(expected), 4);
    const halves = weight.linear(cast(x, 'bfloat16'));
    expect(halves.dtype).toBe('bfloat16');
  });

  test('passes gradients to x through the floats behind it', async () => {
    const x = tensor(normalFloats(randomKey(2), 2 * 88), [2, 88]);
    const factors = tensor(normalFloats(randomKey(3), 12), [2, 6]);
    const floats = tensor(await weight.toFloat(), shape);
    const [expected] = gradients(sum(mul(linear(x, floats), factors)), [x]);
    const compiled = compile((each: Tensor) => gradients(sum(mul(weight.linear(each), factors)), [each])[0]!);
    await expectNumbers(await compiled(x), await numbersIn(expected!), 4);
  });

  test('has parts that never train', () => {
    const layer = new Linear(88, 6);
    layer.setWeight(weight);
    layer.unfreeze();
    expect(Object.keys(layer.trainableParameters())).toEqual(['bias']);
    const bytes = Object.entries(layer.namedParameters())
      .filter(([name]) => name.startsWith('weight.') && name !== 'weight.quantization')
      .reduce((total, [, { size, dtype }]) => total + size * (dtype === 'uint8' ? 1 : 4), 0);
    expect(weight.byteLength).toBe(bytes);
  });

  test('takes over the state of another of its format, and of no other', async () => {
    const copy = new QuantizedWeight(shape, config);
    expect((await copy.toFloat()).every((value) => value === 0)).toBe(true);
    copy.loadState(await weight.state());
    expect(await copy.toFloat()).toEqual(await weight.toFloat());
    const other = new QuantizedWeight(shape, { bits: 4, blockSize: 32, symmetric: false });
    const state = { ...(await other.state()), quantization: (await weight.state()).quantization! };
    expect(() => other.loadState(state)).toThrow(CheckpointError);
  });
});

test('a configuration is checked by name', () => {
  expect(() => new QuantizedWeight([1, 1], { bits: 3 } as never)).toThrow(ConfigError);
  expect(() => new QuantizedWeight([1, 1], { blockSize: 48 })).toThrow(/blockSize: .*power of two.*48/);
  expect(() => new QuantizedWeight([1, 1], { blockSize: 8 })).toThrow(/blockSize/);
  expect(() => new QuantizedWeight([1, 1], { format: 'nf4', symmetric: true } as never)).toThrow(
    /unknown key "symmetric"/,
  );
  expect(() => new QuantizedWeight([1, 1], { format: 'int2' } as never)).toThrow(/format/);
});

test('values of another count, or that are not finite, are refused, and the old ones stay', async () => {
  const weight = new QuantizedWeight([1, 2], { bits: 8 });
  weight.setFromFloat(Float32Array.of(1, -2));
  const before = await weight.toFloat();
  expect(() => weight.setFromFloat(new Float32Array(3))).toThrow(ShapeError);
  expect(() => weight.setFromFloat(Float32Array.of(1, Number.NaN))).toThrow(QuantizationError);
  expect(await weight.toFloat()).toEqual(before);
});

test('the accuracy level changes what compiled functions compute', async () => {
  const weight = new QuantizedWeight([16, 256], { bits: 4 });
  weight.setFromFloat(normalFloats(randomKey(1), 4096));
  const fn = compile((each: Tensor) => weight.linear(each));
  const x = tensor(normalFloats(randomKey(2), 256), [1, 256]);
  const exact = await numbersIn(await fn(x));
  weight.setAccuracyLevel(4);
  expect(weight.accuracyLevel).toBe(4);
  const fast = await numbersIn(await fn(x));
  const error = Math.hypot(...fast.map((value, i) => value - exact[i]!)) / Math.hypot(...exact);
  expect(error).toBeGreaterThan(1e-4);
  expect(error).toBeLessThan(0.02);
  weight.setAccuracyLevel(1);
  expect(await numbersIn(await fn(x))).toEqual(exact);
});

test('programs hold it as their own also where other frozen parameters are only referred to', async () => {
  const weight = new QuantizedWeight([16, 256], { bits: 4 }, { accuracyLevel: 4 });
  weight.setFromFloat(normalFloats(randomKey(1), 4096));
  const x = tensor(normalFloats(randomKey(2), 256), [1, 256]);
  const fast = compile((each: Tensor) => weight.linear(each));
  const referring = compile((each: Tensor) => weight.linear(each), { frozen: 'reference' });
  expect(await numbersIn(await referring(x))).toEqual(await numbersIn(await fast(x)));
});
