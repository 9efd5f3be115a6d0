import { expect, test } from 'vitest';
import type { SeedRun, VariantResults } from '../../src/report/results.js';
import { checkClaims } from '../../src/reproduce/claims.js';

const counts = { position: 400, colour: 400 };

function variant(name: string, ...accuracies: Record<string, number>[]): VariantResults {
  const runs = accuracies.map((accuracy, index): SeedRun => ({ seed: index + 1, accuracy, overall: 0, stages: [] }));
  return { name, visualTokens: 16, runs };
}

const claim = { statement: 'a beats b', better: 'a', worse: 'b', types: ['position'] };

test('a claim holds, or does not, where the difference is larger than chance makes it', () => {
  const [good, bad] = [
    { position: 0.6, colour: 0.5 },
    { position: 0.3, colour: 0.5 },
  ];
  expect(checkClaims([claim], [variant('a', good, good), variant('b', bad, bad)], counts)[0]!.held).toBe(true);
  expect(checkClaims([claim], [variant('a', bad, bad), variant('b', good, good)], counts)[0]!.held).toBe(false);
});

test('a difference within the seeds or the number of questions decides nothing', () => {
  const spread = [
    variant('a', { position: 0.2, colour: 0 }, { position: 0.6, colour: 0 }),
    variant('b', { position: 0.3, colour: 0 }, { position: 0.4, colour: 0 }),
  ];
  expect(checkClaims([claim], spread, counts)[0]!.held).toBeUndefined();
  const close = [variant('a', { position: 0.31, colour: 0 }), variant('b', { position: 0.3, colour: 0 })];
  expect(checkClaims([claim], close, counts)[0]!.held).toBeUndefined();
  expect(checkClaims([claim], close, counts)[0]!.evidence).toBe('position: a 31.0 ± 0.0, b 30.0 ± 0.0');
});

test('the type with the largest gap is found', () => {
  const gap = { statement: 'most on position', better: 'a', worse: 'b', largestGapOn: 'position' };
  const variants = [variant('a', { position: 0.6, colour: 0.9 }), variant('b', { position: 0.3, colour: 0.4 })];
  expect(checkClaims([gap], variants, counts)[0]).toEqual({
    statement: 'most on position',
    held: false,
    evidence: 'gap in points: position 30.0, colour 50.0',
  });
});
