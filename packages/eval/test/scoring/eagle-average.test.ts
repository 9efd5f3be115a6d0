import { describe, expect, it } from 'vitest';
import { eagleAverage, eagleBenchmarks } from '../../src/index.js';

/** Rows of table 11 in the order of their columns, and the averages that table 4 prints. */
const rows: readonly (readonly [scores: readonly number[], average: number])[] = [
  [[64.8, 54.5, 1563, 73.4, 532, 77.7, 67.6, 72.4, 87.9, 61.2, 68.8], 690.5],
  [[63.2, 48.0, 1497, 73.5, 551, 77.7, 67.0, 72.4, 88.3, 59.1, 70.7], 681.5],
  [[63.3, 55.9, 1528, 73.3, 545, 78.9, 67.2, 72.3, 88.4, 59.2, 70.0], 690.4],
];

describe('eagleAverage', () => {
  it.each(rows)('is the printed one of %j', (scores, average) => {
    const byName = Object.fromEntries(eagleBenchmarks.map((name, index) => [name, scores[index]!]));
    expect(Math.abs(eagleAverage(byName as Parameters<typeof eagleAverage>[0]) - average)).toBeLessThan(0.2);
  });
});
