import { describe, expect, test } from 'vitest';
import { normalFloats, randomKey, ShapeError } from '../../src/index.js';
import { dequantizeNBits, quantizeNBits, rowsOfNBits } from '../../src/quantization/nbits.js';
import { QuantizationError } from '../../src/quantization/quantization-error.js';

const row = (length: number, values: readonly number[]) => Float32Array.from({ length }, (_, i) => values[i] ?? 0);
const codesOf = (packed: Uint8Array) => Array.from(packed).flatMap((byte) => [byte & 15, byte >> 4]);

describe('symmetric blocks', () => {
  test('keep the element of largest magnitude, with its sign', () => {
    const values = row(16, [0.5, -3, 2.9, 1]);
    const q = quantizeNBits(values, [1, 16], { bits: 4, blockSize: 16, symmetric: true });
    expect(q.scales).toEqual(Float32Array.of(3 / 8));
    // -3 is -8 steps; 2.9 is 7.73, more than 7 has no code.
    expect(codesOf(q.packed).slice(0, 5)).toEqual([9, 0, 15, 11, 8]);
    const back = dequantizeNBits(q, [1, 16], { bits: 4, blockSize: 16 });
    expect(Array.from(back.subarray(0, 4))).toEqual([0.375, -3, 2.625, 1.125]);
  });

  test('have a negative scale where the largest is positive', () => {
    const q = quantizeNBits(row(16, [4, -1]), [1, 16], { bits: 4, blockSize: 16, symmetric: true });
    expect(q.scales).toEqual(Float32Array.of(-0.5));
    expect(codesOf(q.packed).slice(0, 2)).toEqual([0, 10]);
    expect(dequantizeNBits(q, [1, 16], { bits: 4, blockSize: 16 }).subarray(0, 2)).toEqual(Float32Array.of(4, -1));
  });

  test('round halves away from zero', () => {
    // Scale −0.125: 0.0625 is half a step below the middle, −0.0625 half a step above.
    const q = quantizeNBits(row(16, [1, 0.0625, -0.0625]), [1, 16], { bits: 4, blockSize: 16, symmetric: true });
    expect(codesOf(q.packed).slice(0, 3)).toEqual([0, 8, 9]);
  });
});

describe('blocks with zero points', () => {
  test('reach from the least to the greatest, 0 included', () => {
    const q = quantizeNBits(row(16, [-1, 2]), [1, 16], { bits: 4, blockSize: 16, symmetric: false });
    expect(q.scales).toEqual(Float32Array.of(0.2));
    expect(q.zeroPoints).toEqual(Uint8Array.of(0x85));
    expect(codesOf(q.packed).slice(0, 3)).toEqual([0, 15, 5]);
    const positive = quantizeNBits(new Float32Array(16).fill(3), [1, 16], { bits: 8, blockSize: 16, symmetric: false });
    expect(positive.zeroPoints).toEqual(Uint8Array.of(0));
    expect(positive.packed.every((code) => code === 255)).toBe(true);
  });

  test('pack the zero points of a row two to a byte, an odd one with 8', () => {
    const values = Float32Array.from({ length: 2 * 48 }, (_, i) => (i % 16 === 0 ? [0, -0.5, -2][(i / 16) % 3]! : 1));
    const q = quantizeNBits(values, [2, 48], { bits: 4, blockSize: 16, symmetric: false });
    // The least of the blocks are 0, −0.5 and −2, the greatest 1.
    expect(q.zeroPoints).toEqual(Uint8Array.of(0x50, 0x8a, 0x50, 0x8a));
  });
});

describe.each([
  [4, true],
  [4, false],
  [8, true],
  [8, false],
] as const)('%s bits, symmetric %s', (bits, symmetric) => {
  test.each([16, 32, 64, 128, 512])('are within half a step in blocks of %s', (blockSize) => {
    const shape = [5, 200] as const;
    const values = normalFloats(randomKey(3), 1000);
    const options = { bits, blockSize, symmetric };
    const q = quantizeNBits(values, shape, options);
    const back = dequantizeNBits(q, shape, options);
    const blocks = Math.ceil(200 / blockSize);
    back.forEach((value, i) => {
      const scale = Math.abs(q.scales[Math.floor(i / 200) * blocks + Math.floor((i % 200) / blockSize)]!);
      // Opposite to the exact extreme there is one step less.
      const isFarEnd = symmetric && Math.abs(values[i]!) > scale * (2 ** (bits - 1) - 1);
      expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(scale * (isFarEnd ? 1 : 0.5) * (1 + 1e-5));
    });
  });

  test('leave out what is beyond a row', () => {
    const options = { bits, blockSize: 32, symmetric };
    const values = normalFloats(randomKey(4), 3 * 41);
    const q = quantizeNBits(values, [3, 41], options);
    expect(q.packed).toHaveLength((3 * 2 * 32 * bits) / 8);
    const second = quantizeNBits(values.slice(41, 82), [1, 41], options);
    const part = rowsOfNBits(q, 41, options, 1, 2);
    expect(part.packed).toEqual(second.packed);
    expect(part.scales).toEqual(second.scales);
    expect(part.zeroPoints).toEqual(second.zeroPoints);
    expect(dequantizeNBits(q, [3, 41], options).subarray(41, 82)).toEqual(dequantizeNBits(second, [1, 41], options));
  });

  test('keep zeros', () => {
    const options = { bits, blockSize: 16, symmetric };
    const q = quantizeNBits(new Float32Array(32), [2, 16], options);
    expect(Array.from(q.scales, Math.abs)).toEqual([0, 0]);
    expect(Array.from(dequantizeNBits(q, [2, 16], options), Math.abs)).toEqual(new Array(32).fill(0));
  });
});

test('refuse numbers that are not finite, and of another count', () => {
  const options = { bits: 4, blockSize: 16, symmetric: true } as const;
  expect(() => quantizeNBits(row(16, [1, Number.NaN]), [1, 16], options)).toThrow(QuantizationError);
  expect(() => quantizeNBits(row(32, [1, 2, Number.NEGATIVE_INFINITY]), [2, 16], options)).toThrow(
    'quantizeNBits: expected finite values, received -Infinity as element 2.',
  );
  expect(() => quantizeNBits(row(17, []), [1, 16], options)).toThrow(ShapeError);
});
