import { expect, test } from 'vitest';
import { normalFloats, randomKey } from '../../src/index.js';
import { compressStatistics, dynamicMap, restoreStatistics } from '../../src/quantization/statistics.js';

test('the dynamic map has seven decades, each with twice as many values', () => {
  expect(dynamicMap).toHaveLength(256);
  expect(dynamicMap[127]).toBe(0);
  expect(dynamicMap[255]).toBe(1);
  const within = (low: number, high: number) => dynamicMap.filter((value) => value > low && value < high).length;
  expect([1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1].map((low) => within(low, low * 10))).toEqual([
    1, 2, 4, 8, 16, 32, 64,
  ]);
  expect(dynamicMap[0]).toBeCloseTo(-0.9929688, 6);
});

test('scales come back within half a step of the map', () => {
  const scales = normalFloats(randomKey(5), 700).map((x) => 2 + 0.1 * x);
  const compressed = compressStatistics(scales);
  expect(compressed.absmax).toHaveLength(3);
  expect(compressed.offset).toBeCloseTo(2, 2);
  const back = restoreStatistics(compressed);
  back.forEach((value, i) => {
    // Steps are widest at the ends: 0.9 / 64 of the largest difference.
    expect(Math.abs(value - scales[i]!)).toBeLessThan(compressed.absmax[i >> 8]! * 0.0072 + 1e-6);
  });
  expect(Math.max(...back.map((value, i) => Math.abs(value - scales[i]!)))).toBeGreaterThan(0);
});

test('equal scales, and none, come back as they were', () => {
  expect(restoreStatistics(compressStatistics(new Float32Array(5).fill(0.75)))).toEqual(new Float32Array(5).fill(0.75));
  expect(restoreStatistics(compressStatistics(new Float32Array(0)))).toHaveLength(0);
});
