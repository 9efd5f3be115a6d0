import { expect, test } from 'vitest';
import { normalFloats, randomKey, ShapeError } from '../../src/index.js';
import { dequantizeInt8Rows, quantizeInt8Rows } from '../../src/quantization/int8-rows.js';
import { QuantizationError } from '../../src/quantization/quantization-error.js';

test('each row is scaled by its largest magnitude, halves round to even', () => {
  const { codes, absmax } = quantizeInt8Rows(Float32Array.of(127, 2.5, -3.5, 0, 0, 0), [2, 3]);
  expect(absmax).toEqual(Float32Array.of(127, 0));
  expect(codes).toEqual(Int8Array.of(127, 2, -4, 0, 0, 0));
  expect(dequantizeInt8Rows({ codes, absmax }, [2, 3])).toEqual(Float32Array.of(127, 2, -4, 0, 0, 0));
});

test('values come back within half a step', () => {
  const values = normalFloats(randomKey(6), 4 * 50);
  const q = quantizeInt8Rows(values, [4, 50]);
  dequantizeInt8Rows(q, [4, 50]).forEach((value, i) => {
    expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual((q.absmax[Math.floor(i / 50)]! / 254) * (1 + 1e-5));
  });
});

test('what is not finite, or of another count, is refused', () => {
  expect(() => quantizeInt8Rows(Float32Array.of(1, Number.NaN), [1, 2])).toThrow(QuantizationError);
  expect(() => quantizeInt8Rows(new Float32Array(3), [1, 2])).toThrow(ShapeError);
});
