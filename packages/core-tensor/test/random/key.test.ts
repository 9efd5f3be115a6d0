import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import { foldIn, randomKey, splitKey } from '../../src/random/key.js';

describe('randomKey', () => {
  it('holds the 64 bits of an integer', () => {
    expect(randomKey(5)).toEqual({ low: 5, high: 0 });
    expect(randomKey(2 ** 40 + 3)).toEqual({ low: 3, high: 256 });
    expect(randomKey(-1)).toEqual({ low: 0xffffffff, high: 0xffffffff });
    expect(randomKey(5n)).toEqual(randomKey(5));
    expect(randomKey(2n ** 64n - 1n)).toEqual(randomKey(-1));
  });

  it('refuses what is not a 64-bit integer', () => {
    for (const seed of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2n ** 64n, -(2n ** 63n) - 1n]) {
      expect(() => randomKey(seed), String(seed)).toThrow(ConfigError);
    }
  });

  it('takes any text, and tells texts apart', () => {
    const texts = [
      '',
      'a',
      'b',
      'a\0',
      'ab',
      'ba',
      'abcdefgh',
      'abcdefgi',
      'abcdefgh\0',
      'é',
      'layers.0',
      'layers.1',
      '1',
    ];
    const keys = new Set(texts.map((text) => JSON.stringify(randomKey(text))));
    expect(keys.size).toBe(texts.length);
    expect(randomKey('layers.0')).toEqual({ low: 381766503, high: 514105776 });
  });
});

describe('foldIn', () => {
  it('is a function of key and data', () => {
    const key = randomKey(1);
    expect(foldIn(key, 'weight')).toEqual(foldIn(randomKey(1), 'weight'));
    expect(foldIn(key, 7)).not.toEqual(foldIn(key, 8));
    expect(foldIn(key, 7)).not.toEqual(foldIn(randomKey(2), 7));
    expect(foldIn(key, 1)).not.toEqual(foldIn(key, '1'));
    expect(foldIn(key, 2 ** 32)).not.toEqual(foldIn(key, 0));
    expect(foldIn(foldIn(key, 1), 2)).not.toEqual(foldIn(foldIn(key, 2), 1));
    expect(key).toEqual({ low: 1, high: 0 });
  });

  it('never repeats a key over many data', () => {
    const key = randomKey('many');
    const keys = new Set(Array.from({ length: 20000 }, (_, i) => JSON.stringify(foldIn(key, i))));
    expect(keys.size).toBe(20000);
  });

  it('changes half of the bits for a change of one', () => {
    const bits = (word: number) => word.toString(2).replaceAll('0', '').length;
    let changed = 0;
    for (let bit = 0; bit < 50; bit++) {
      const a = foldIn(randomKey(3), 0);
      const b = foldIn(randomKey(3), 2 ** bit);
      changed += bits((a.low ^ b.low) >>> 0) + bits((a.high ^ b.high) >>> 0);
    }
    // 3200 fair bits: mean 1600, deviation 28.
    expect(Math.abs(changed - 1600)).toBeLessThan(140);
  });

  it('refuses fractions', () => {
    expect(() => foldIn(randomKey(0), 0.5)).toThrow(/foldIn: expected a safe integer/);
  });
});

describe('splitKey', () => {
  it('gives the first keys of foldIn', () => {
    const key = randomKey(4);
    expect(splitKey(key, 3)).toEqual([foldIn(key, 0), foldIn(key, 1), foldIn(key, 2)]);
    expect(splitKey(key)).toHaveLength(2);
    expect(splitKey(key, 0)).toEqual([]);
    expect(() => splitKey(key, -1)).toThrow(ConfigError);
  });
});
