import { ConfigError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { searchExperts } from '../../src/index.js';

/** Averages of single experts (tables 2 and 3) and of combinations (figure 4); DI is DINOv2. */
const published: Readonly<Record<string, number>> = {
  CL: 670.5,
  CN: 682.1,
  SA: 510.5,
  EV: 639.1,
  PS: 606.2,
  DI: 537.3,
  'CL CN': 681.5,
  'CL CN DI': 685.4,
  'CL CN SA': 690.4,
  'CL CN PS': 685.1,
  'CL CN EV': 690.7,
  'CL CN EV DI': 688.0,
  'CL CN EV SA': 689.4,
  'CL CN EV PS': 694.6,
  'CL CN EV PS DI': 684.7,
  'CL CN EV PS SA': 697.1,
  'CL CN EV PS SA DI': 686.8,
};
const experts = ['CL', 'CN', 'SA', 'EV', 'PS', 'DI'];
const score = (combination: readonly string[]) => published[combination.join(' ')]!;

describe('searchExperts', () => {
  it('finds the mixture of figure 4 over the same rounds', async () => {
    const { best, rounds } = await searchExperts(experts, { score });
    expect(best).toEqual({ experts: ['CL', 'CN', 'EV', 'PS', 'SA'], score: 697.1 });
    expect(rounds.map(({ candidates }) => candidates.length)).toEqual([6, 1, 4, 3, 2, 1]);
    expect(rounds.slice(1).map((round) => round.best.score)).toEqual([681.5, 690.7, 694.6, 697.1, 686.8]);
  });

  it('begins where it is told, or with the best expert alone', async () => {
    const asked: string[] = [];
    const remember = (combination: readonly string[]) => {
      asked.push(combination.join(''));
      return combination.length;
    };
    const given = await searchExperts(['a', 'b', 'c'], { score: remember, start: ['c'] });
    expect(asked).toEqual(['c', 'ca', 'cb', 'cab']);
    expect(given.best.experts).toEqual(['c', 'a', 'b']);
    const one = await searchExperts(['a', 'b'], {
      score: (all) => (all[0] === 'b' ? 3 - all.length : 0),
      beginWith: 1,
    });
    expect(one.best).toEqual({ experts: ['b'], score: 2 });
    expect(one.rounds.map(({ candidates }) => candidates.map((each) => each.experts.join('')))).toEqual([
      ['a', 'b'],
      ['ba'],
    ]);
  });

  it('ends where a round is no better, and where there is no expert left', async () => {
    const tied = await searchExperts(['a', 'b', 'c'], { score: () => 1 });
    expect(tied.best.experts).toEqual(['a', 'b']);
    const all = await searchExperts(['a', 'b', 'c'], { score: async ({ length }) => length });
    expect([all.best.experts.length, all.rounds.length]).toEqual([3, 3]);
  });

  it.each([
    ['too few experts', ['a'], {}, /at least 2 experts, received 1/],
    ['an expert twice', ['a', 'b', 'a'], {}, /different ones/],
    ['an unknown start', ['a', 'b'], { start: ['d'] }, /among the experts, received d/],
    ['an empty start', ['a', 'b'], { start: [] }, /at least 1 experts/],
    ['a score that is none', ['a', 'b'], { score: () => Number.NaN }, /finite, received NaN of a/],
  ])('refuses %s', async (_, list, options, message) => {
    const search = searchExperts(list, { score: () => 0, ...options });
    await expect(search).rejects.toThrow(ConfigError);
    await expect(search).rejects.toThrow(message);
  });
});
