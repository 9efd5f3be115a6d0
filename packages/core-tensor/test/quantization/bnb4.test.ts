import { describe, expect, test } from 'vitest';
import { normalFloats, randomKey, ShapeError } from '../../src/index.js';
import { dequantizeBnb4, quantizeBnb4 } from '../../src/quantization/bnb4.js';
import { codebooks } from '../../src/quantization/codebook.js';
import { QuantizationError } from '../../src/quantization/quantization-error.js';

const codesOf = (packed: Uint8Array) => Array.from(packed).flatMap((byte) => [byte >> 4, byte & 15]);

/** Place of the first of the smallest float32 differences. */
function nearest(codebook: Float32Array, x: number): number {
  const distances = Array.from(codebook, (value) => Math.abs(Math.fround(x - value)));
  return distances.indexOf(Math.min(...distances));
}

describe.each(['nf4', 'fp4'] as const)('%s', (format) => {
  const codebook = codebooks[format];

  test('takes the nearest value of the table, also beside the bounds between two', () => {
    const bounds = Array.from(codebook)
      .sort((a, b) => a - b)
      .flatMap((value, i, sorted) => (i === 0 ? [] : [(value + sorted[i - 1]!) / 2]));
    const probes = bounds.flatMap((bound) =>
      [-2, -1, 0, 1, 2].map((ulps) => Math.fround(bound * (1 + ulps * 2 ** -23))),
    );
    const values = Float32Array.from([1, ...probes, ...normalFloats(randomKey(1), 500).map((x) => x / 4)]).map((x) =>
      Math.max(-1, Math.min(1, x)),
    );
    const { packed, absmax } = quantizeBnb4(values, { format, blockSize: 2 ** 12 });
    expect(absmax).toEqual(Float32Array.of(1));
    const expected = Array.from(values, (x) => nearest(codebook, x));
    expect(codesOf(packed).slice(0, values.length)).toEqual(expected);
  });

  test('scales each block by its largest magnitude, over the ends of rows', () => {
    const values = normalFloats(randomKey(2), 150);
    const { packed, absmax } = quantizeBnb4(values, { format });
    expect(absmax).toEqual(
      Float32Array.from([0, 64, 128], (begin) => Math.max(...values.slice(begin, begin + 64).map(Math.abs))),
    );
    const back = dequantizeBnb4({ packed, absmax }, 150, { format });
    codesOf(packed)
      .slice(0, 150)
      .forEach((code, i) => {
        expect(back[i]).toBe(Math.fround(codebook[code]! * absmax[i >> 6]!));
      });
  });

  test('holds blocks of zeros, an odd number of elements and none', () => {
    const { packed, absmax } = quantizeBnb4(Float32Array.of(0, 0, 0), { format, blockSize: 16 });
    expect(absmax).toEqual(Float32Array.of(0));
    expect(packed).toHaveLength(2);
    expect(Array.from(dequantizeBnb4({ packed, absmax }, 3, { format, blockSize: 16 }), Math.abs)).toEqual([0, 0, 0]);
    expect(quantizeBnb4(new Float32Array(0), { format }).packed).toHaveLength(0);
  });

  test('refuses what is not finite', () => {
    expect(() => quantizeBnb4(Float32Array.of(1, Number.NaN), { format })).toThrow(QuantizationError);
    expect(() => quantizeBnb4(Float32Array.of(Number.POSITIVE_INFINITY, 1), { format })).toThrow(
      'Infinity as element 0',
    );
  });
});

test('codes that are not as many as the elements need are refused', () => {
  expect(() =>
    dequantizeBnb4({ packed: new Uint8Array(4), absmax: new Float32Array(1) }, 9, { format: 'nf4' }),
  ).toThrow(ShapeError);
});
