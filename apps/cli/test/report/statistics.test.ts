import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatPublished,
  formatStepTime,
} from '../../src/report/format-numbers.js';
import type { VariantResults } from '../../src/report/results.js';
import { accuracyOf, lossCurve, stageNames, stepTimeOf, summarise } from '../../src/report/statistics.js';

function variant(...losses: number[][]): VariantResults {
  const runs = losses.map((loss, seed) => ({
    seed,
    accuracy: { count: 0.2 * (seed + 1) },
    overall: 0.5,
    stages: [
      {
        name: 'pretrain',
        steps: 10,
        secondsPerStep: 0.01 * (seed + 1),
        loss: loss.map((value, step) => ({ step, loss: value })),
      },
    ],
  }));
  return { name: 'linear', visualTokens: 16, runs };
}

describe('statistics over seeds', () => {
  it('are the mean and the deviation of the sample', () => {
    expect(summarise([2, 4, 6])).toEqual({ mean: 4, deviation: 2 });
    expect(summarise([5])).toEqual({ mean: 5, deviation: undefined });
    expect(summarise([])).toBeUndefined();
  });

  it('leave out types that a run has not answered', () => {
    const both = variant([1], [1]);
    expect(accuracyOf(both, 'count')!.mean).toBeCloseTo(0.3);
    expect(accuracyOf(both, 'count')!.deviation).toBeCloseTo(Math.sqrt(0.02));
    expect(accuracyOf(both)).toEqual({ mean: 0.5, deviation: 0 });
    expect(accuracyOf(both, 'chart')).toBeUndefined();
  });

  it('know the stages and the time of their steps', () => {
    const results = variant([1], [1]);
    expect(stageNames([results, results])).toEqual(['pretrain']);
    expect(stepTimeOf(results, 'pretrain')!.mean).toBeCloseTo(0.015);
    expect(stepTimeOf(results, 'finetune')).toBeUndefined();
  });

  it('average losses over seeds, then over neighbouring steps', () => {
    const results = variant([4, 3, 2, 1], [6, 5, 4, 3]);
    expect(lossCurve(results, 'pretrain').map(({ loss }) => loss)).toEqual([5, 4, 3, 2]);
    expect(lossCurve(results, 'pretrain', 2)).toEqual([
      { step: 1, loss: 4.5 },
      { step: 3, loss: 2.5 },
    ]);
    expect(lossCurve(results, 'finetune')).toEqual([]);
  });
});

describe('numbers', () => {
  it('are printed in their units', () => {
    expect(formatPercent({ mean: 0.6134, deviation: 0.0081 })).toBe('61.3 ± 0.8');
    expect(formatPercent({ mean: 0.6134, deviation: undefined })).toBe('61.3');
    expect(formatPercent(undefined)).toBe('–');
    expect(formatStepTime({ mean: 0.0123, deviation: 0 })).toBe('12.3 ms');
    expect(formatStepTime({ mean: 2.5, deviation: 0 })).toBe('2.50 s');
    expect([950, 812_345, 7_100_000, 1.3e9, undefined].map(formatCount)).toEqual([
      '950',
      '812 k',
      '7.1 M',
      '1.30 B',
      '–',
    ]);
    expect([48.4, 725, 7380].map(formatDuration)).toEqual(['48 s', '12 min 5 s', '2 h 3 min']);
    expect(formatPublished([67.1, 66, undefined, 70.25])).toEqual(['67.10', '66.00', '–', '70.25']);
  });
});
