import { OcelliError } from '@ocelli/core-tensor';
import { expect, test } from 'vitest';
import {
  accuracyByType,
  constantBaseline,
  isExactMatch,
  meanAndDeviation,
  type ScoredQuestion,
} from '../../src/index.js';

function question(type: string, expected: string, answer: string): ScoredQuestion {
  return { id: `${type}-${expected}`, type, question: '?', expected, answer, correct: isExactMatch(answer, expected) };
}

test('answers match after case, spaces and a final full stop are set aside', () => {
  expect(isExactMatch(' Yes. ', 'yes')).toBe(true);
  expect(isExactMatch('top  left', 'Top left')).toBe(true);
  expect(isExactMatch('yes no', 'yes')).toBe(false);
  expect(isExactMatch('', 'yes')).toBe(false);
});

test('accuracy counts every type the same in the mean, and every question the same over all', () => {
  const accuracy = accuracyByType([
    question('existence', 'yes', 'yes'),
    question('existence', 'no', 'yes'),
    question('existence', 'no', 'no'),
    question('existence', 'yes', 'yes'),
    question('count', '3', '2'),
  ]);
  expect(accuracy.byType).toEqual({ existence: 0.75, count: 0 });
  expect(accuracy.mean).toBe(0.375);
  expect(accuracy.overall).toBe(0.6);
  expect(accuracy.counts).toEqual({ existence: 4, count: 1 });
});

test('the constant baseline is the most frequent answer of each type', () => {
  const baseline = constantBaseline([
    { type: 'existence', expected: 'yes' },
    { type: 'existence', expected: 'no' },
    { type: 'existence', expected: 'Yes.' },
    { type: 'count', expected: '2' },
  ]);
  expect(baseline.answers).toEqual({ existence: 'yes', count: '2' });
  expect(baseline.byType.existence).toBeCloseTo(2 / 3, 12);
  expect(baseline.byType.count).toBe(1);
  expect(baseline.mean).toBeCloseTo(5 / 6, 12);
  expect(baseline.overall).toBe(0.75);
  expect(baseline.counts).toEqual({ existence: 3, count: 1 });
});

test('no questions are an error, not a perfect score', () => {
  expect(() => accuracyByType([])).toThrow(/accuracy: expected at least one question, received none/);
  expect(() => constantBaseline([])).toThrow(OcelliError);
});

test('mean and sample deviation', () => {
  expect(meanAndDeviation([0.5, 0.7, 0.9])).toEqual({
    mean: expect.closeTo(0.7, 12),
    deviation: expect.closeTo(0.2, 12),
  });
  expect(meanAndDeviation([0.5])).toEqual({ mean: 0.5, deviation: 0 });
  expect(() => meanAndDeviation([])).toThrow(/at least one figure, received none/);
});
