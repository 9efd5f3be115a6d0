import { describe, expect, it } from 'vitest';
import { permutation } from '../src/loader/permutation.js';
import { fold, RandomError, randomKey, randomSource } from '../src/random.js';

describe('values that data sets and orders depend on', () => {
  it('never change', () => {
    const key = fold(fold(randomKey(2 ** 40 + 7), 'split'), 123456789012);
    expect(key).toEqual({ high: 226599703, low: 3430278772 });
    const source = randomSource(key);
    const words = Array.from({ length: 5 }, source.uint32);
    expect(words).toEqual([1596687252, 2144584308, 1155330447, 1319484354, 1336527691]);
    expect(source.float()).toBe(0.16855388213537548);
    expect(source.integer(1000)).toBe(495);
    expect(source.shuffle([0, 1, 2, 3, 4, 5, 6])).toEqual([4, 2, 3, 6, 5, 0, 1]);
    expect([0, 1, 2, 3, 999].map(permutation(1000, randomKey(3)))).toEqual([257, 468, 161, 874, 872]);
  });
});

describe('keys', () => {
  it('keep all 53 bits of a seed', () => {
    expect(randomKey(2 ** 53 - 1)).toEqual({ high: 2 ** 21 - 1, low: 2 ** 32 - 1 });
    expect(randomKey(5)).toEqual({ high: 0, low: 5 });
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuse the seed %s', (seed) => {
    expect(() => randomKey(seed)).toThrow(RandomError);
  });

  it('fold into different keys for different values, labels and orders', () => {
    const root = randomKey(1);
    const keys = [
      root,
      fold(root, 0),
      fold(root, 1),
      fold(root, 2 ** 32),
      fold(root, ''),
      fold(root, 'a'),
      fold(root, 'ab'),
      fold(root, 'ba'),
      fold(fold(root, 0), 1),
      fold(fold(root, 1), 0),
      fold(randomKey(2), 0),
    ];
    expect(new Set(keys.map(({ high, low }) => `${high}:${low}`)).size).toBe(keys.length);
    expect(fold(root, 'ab')).toEqual(fold(root, 'ab'));
  });
});

describe('sources', () => {
  const draws = (count: number, draw: () => number): number[] => Array.from({ length: count }, draw);

  it('repeat for one key and differ between folded keys', () => {
    const key = randomKey(3);
    const first = draws(9, randomSource(key).uint32);
    expect(draws(9, randomSource(key).uint32)).toEqual(first);
    expect(draws(9, randomSource(fold(key, 0)).uint32)).not.toEqual(first);
  });

  it('draw floats with the mean and variance of a uniform variable', () => {
    const values = draws(40_000, randomSource(randomKey(4)).float);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.006);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('draw every integer below the bound equally often', () => {
    const source = randomSource(randomKey(5));
    const counts = new Array<number>(7).fill(0);
    for (let index = 0; index < 14_000; index++) counts[source.integer(7)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    expect(chiSquare).toBeLessThan(22.5); // 99.9 % of a chi-square with 6 degrees of freedom
  });

  it.each([0, -3, 1.5, 2 ** 33])('refuse the bound %s', (bound) => {
    expect(() => randomSource(randomKey(0)).integer(bound)).toThrow(/integer bound/);
  });

  it('shuffle into every order equally often, and leave the input alone', () => {
    const source = randomSource(randomKey(6));
    const items = ['a', 'b', 'c'];
    const counts = new Map<string, number>();
    for (let index = 0; index < 6000; index++) {
      const order = source.shuffle(items).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(items).toEqual(['a', 'b', 'c']);
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it('pick from a list, and refuse an empty one', () => {
    const source = randomSource(randomKey(7));
    expect(new Set(draws(60, () => source.pick([10, 20, 30])))).toEqual(new Set([10, 20, 30]));
    expect(() => source.pick([])).toThrow(RandomError);
  });

  it('give a chance as often as its probability says', () => {
    const source = randomSource(randomKey(8));
    const hits = draws(10_000, () => Number(source.chance(0.3))).reduce((sum, hit) => sum + hit, 0);
    expect(Math.abs(hits - 3000)).toBeLessThan(200);
    expect(source.chance(0)).toBe(false);
    expect(source.chance(1)).toBe(true);
  });
});
