import { describe, expect, it } from 'vitest';
import { ConfigError, ShapeError } from '../../src/errors.js';
import * as initializers from '../../src/random/initializers.js';
import { randomKey } from '../../src/random/key.js';

const key = randomKey(11);
const linear = [300, 200];
const convolution = [64, 32, 3, 5];

function rootMeanSquare(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

describe('constant initializers', () => {
  it('fill the shape', () => {
    expect([...initializers.zeros([2, 2], key)]).toEqual([0, 0, 0, 0]);
    expect([...initializers.ones([3], key)]).toEqual([1, 1, 1]);
    expect([...initializers.constant(0.5)([], key)]).toEqual([0.5]);
    expect(initializers.zeros([0, 5], key)).toHaveLength(0);
  });

  it('make rectangular identities', () => {
    expect([...initializers.identity([2, 3], key)]).toEqual([1, 0, 0, 0, 1, 0]);
    expect([...initializers.identity([3, 2], key)]).toEqual([1, 0, 0, 1, 0, 0]);
    expect(() => initializers.identity([2], key)).toThrow(ShapeError);
    expect(() => initializers.identity([2, 2, 2], key)).toThrow(ShapeError);
  });
});

// Every weight has tens of thousands of values; the deviation of a sample is within 2% of the true one.
describe('random initializers', () => {
  it.each([
    ['xavierUniform', initializers.xavierUniform({ gain: 2 }), linear, 2 * Math.sqrt(2 / 500), Math.sqrt(3)],
    ['xavierNormal', initializers.xavierNormal(), linear, Math.sqrt(2 / 500), undefined],
    ['xavierUniform', initializers.xavierUniform(), convolution, Math.sqrt(2 / (96 * 15)), Math.sqrt(3)],
    ['kaimingUniform', initializers.kaimingUniform({ a: Math.sqrt(5) }), linear, 1 / Math.sqrt(3 * 200), Math.sqrt(3)],
    ['kaimingUniform', initializers.kaimingUniform(), linear, Math.sqrt(2 / 200), Math.sqrt(3)],
    ['kaimingNormal', initializers.kaimingNormal({ nonlinearity: 'relu' }), convolution, Math.sqrt(2 / 480), undefined],
    [
      'kaimingNormal',
      initializers.kaimingNormal({ mode: 'fan_out', nonlinearity: 'tanh' }),
      convolution,
      5 / 3 / Math.sqrt(960),
      undefined,
    ],
    ['lecunNormal', initializers.lecunNormal, linear, 1 / Math.sqrt(200), 2 / 0.8796256610342398],
    ['uniform', initializers.uniform(-3, 3), linear, Math.sqrt(3), Math.sqrt(3)],
    ['normal', initializers.normal(0, 0.02), linear, 0.02, undefined],
    [
      'truncatedNormal',
      initializers.truncatedNormal({ std: 2, a: -4, b: 4 }),
      linear,
      2 * 0.8796256610342398,
      4 / 2 / 0.8796256610342398,
    ],
  ])('%s has the deviation and bound of its formula', (_, initializer, shape, deviation, boundInDeviations) => {
    const values = initializer(shape, key);
    expect(values).toHaveLength(shape.reduce((a, b) => a * b));
    expect(Math.abs(rootMeanSquare(values) / deviation - 1)).toBeLessThan(0.02);
    if (boundInDeviations !== undefined) {
      expect(largest(values)).toBeLessThanOrEqual(deviation * boundInDeviations * 1.000001);
      expect(largest(values)).toBeGreaterThan(deviation * boundInDeviations * 0.995);
    }
    expect(initializer(shape, key)).toEqual(values);
    expect(initializer(shape, randomKey(12))).not.toEqual(values);
  });

  it('take a mean and bounds', () => {
    expect(initializers.normal(5, 0)([2], key)).toEqual(Float32Array.of(5, 5));
    const values = initializers.uniform(2, 3)([1000], key);
    expect(values.every((value) => value >= 2 && value <= 3)).toBe(true);
    const truncated = initializers.truncatedNormal({ mean: 1, std: 1, a: 0, b: 2 })([5000], key);
    expect(truncated.reduce((sum, value) => sum + value, 0) / 5000).toBeCloseTo(1, 1);
  });

  it.each([
    ['xavierUniform', initializers.xavierUniform()],
    ['xavierNormal', initializers.xavierNormal()],
    ['kaimingUniform', initializers.kaimingUniform()],
    ['kaimingNormal', initializers.kaimingNormal()],
    ['lecunNormal', initializers.lecunNormal],
  ])('%s refuses vectors', (name, initializer) => {
    expect(() => initializer([5], key)).toThrow(ShapeError);
    expect(() => initializer([5], key)).toThrow(`${name}: expected a weight`);
  });

  it('accept a weight without inputs', () => {
    expect(initializers.kaimingUniform()([3, 0], key)).toHaveLength(0);
  });
});

describe('gainOf', () => {
  it('has the gains of PyTorch', () => {
    expect(initializers.gainOf('linear')).toBe(1);
    expect(initializers.gainOf('sigmoid')).toBe(1);
    expect(initializers.gainOf('tanh')).toBe(5 / 3);
    expect(initializers.gainOf('relu')).toBe(Math.SQRT2);
    expect(initializers.gainOf('leaky_relu')).toBeCloseTo(Math.sqrt(2 / 1.0001), 12);
    expect(initializers.gainOf('selu')).toBe(0.75);
    expect(() => initializers.gainOf('gelu' as 'relu')).toThrow(ConfigError);
    expect(() => initializers.gainOf('toString' as 'relu')).toThrow(ConfigError);
  });
});

describe('orthogonal', () => {
  it.each([
    [20, 20],
    [7, 30],
    [30, 7],
    [6, 2, 3, 3],
  ])('has orthonormal rows or columns for shape [%i, %i, …]', (...shape) => {
    const rows = shape[0]!;
    const columns = shape.slice(1).reduce((a, b) => a * b);
    const values = initializers.orthogonal({ gain: 3 })(shape, key);
    const at = (i: number, j: number) => (rows <= columns ? values[i * columns + j]! : values[j * columns + i]!);
    const [count, width] = [Math.min(rows, columns), Math.max(rows, columns)];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let dot = 0;
        for (let j = 0; j < width; j++) {
          dot += at(a, j) * at(b, j);
        }
        expect(Math.abs(dot - (a === b ? 9 : 0))).toBeLessThan(1e-5);
      }
    }
  });

  it('prefers no direction', () => {
    // The entries of a uniformly random orthogonal matrix have mean 0 and mean square 1/n, the diagonal included.
    let diagonal = 0;
    let square = 0;
    for (let seed = 0; seed < 400; seed++) {
      const values = initializers.orthogonal()([4, 4], randomKey(seed));
      for (let i = 0; i < 4; i++) {
        diagonal += values[5 * i]! / 1600;
        square += values[5 * i]! ** 2 / 1600;
      }
    }
    expect(Math.abs(diagonal)).toBeLessThan(0.05);
    expect(Math.abs(square - 0.25)).toBeLessThan(0.03);
  });

  it('refuses vectors', () => {
    expect(() => initializers.orthogonal()([5], key)).toThrow(ShapeError);
  });
});
