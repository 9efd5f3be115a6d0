import { philoxBlock, philoxWordsInto, type RandomKey } from '@ocelli/core-tensor';
import { DataError } from './data-error.js';

export type { RandomKey } from '@ocelli/core-tensor';

/** A stream of random values drawn from one key. Drawing advances the stream. */
export interface RandomSource {
  /** Uniform over 0 … 2³² − 1. */
  uint32(): number;
  /** Uniform over the multiples of 2⁻⁵³ in [0, 1). */
  float(): number;
  /** Uniform over 0 … bound − 1, without modulo bias. */
  integer(bound: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One element, uniformly. */
  pick<T>(items: readonly T[]): T;
  /** A new array in uniformly random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/** Thrown when a random draw is asked for something that has no answer, such as an element of an empty list. */
export class RandomError extends DataError {
  override readonly name = 'RandomError';
}

/** Third counter word: keeps derived keys and label hashes apart from the stream of values, where it is 0. */
const FOLD_DOMAIN = 1;
const LABEL_DOMAIN = 2;

/** Words drawn at once; a multiple of the four of a block. */
const BUFFERED_WORDS = 64;

/**
 * The root key of a seed.
 *
 * @param seed a non-negative safe integer
 * @throws RandomError if the seed is negative, fractional or beyond 2⁵³ − 1
 */
export function randomKey(seed: number): RandomKey {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RandomError({
      operation: 'randomKey',
      expected: 'a non-negative safe integer seed',
      received: String(seed),
      remedy: `choose a seed between 0 and ${Number.MAX_SAFE_INTEGER}`,
      value: seed,
    });
  }
  return { high: Math.floor(seed / 2 ** 32), low: seed >>> 0 };
}

/**
 * Derives an independent key. Folding the same value into the same key always gives the same key; different values
 * give unrelated ones, so a scene, a split or an epoch can be generated without generating those before it.
 *
 * @param value a non-negative safe integer, or a label
 * @throws RandomError if a numeric value is negative, fractional or beyond 2⁵³ − 1
 */
export function fold(key: RandomKey, value: number | string): RandomKey {
  if (typeof value === 'number') {
    const { high, low } = randomKey(value);
    return mix(key, low, high, FOLD_DOMAIN);
  }
  let mixed = key;
  for (let index = 0; index <= value.length; index++) {
    const unit = index < value.length ? value.charCodeAt(index) : value.length;
    mixed = mix(mixed, unit, index, LABEL_DOMAIN);
  }
  return mixed;
}

function mix({ low, high }: RandomKey, word0: number, word1: number, domain: number): RandomKey {
  const [first, second] = philoxBlock([low, high], [word0, word1, domain, 0]);
  return { low: first!, high: second! };
}

/** A stream of values of a key, from its beginning. Two sources of one key yield the same values. */
export function randomSource({ low, high }: RandomKey): RandomSource {
  const words = new Uint32Array(BUFFERED_WORDS);
  let used = BUFFERED_WORDS;
  let block = 0;

  const uint32 = (): number => {
    if (used === BUFFERED_WORDS) {
      // The block's number takes the first two words of the counter.
      philoxWordsInto(low, high, Math.floor(block / 2 ** 32), 0, 0, words, block % 2 ** 32);
      used = 0;
      block += BUFFERED_WORDS / 4;
    }
    return words[used++]!;
  };

  const float = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;

  const integer = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RandomError({
        operation: 'RandomSource.integer',
        expected: 'an integer bound between 1 and 2^32',
        received: String(bound),
        remedy: 'pass the number of values to choose from',
        value: bound,
      });
    }
    // Draws at or beyond the largest multiple of the bound would favour small values.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let value = uint32();
    while (value >= limit) value = uint32();
    return value % bound;
  };

  return {
    uint32,
    float,
    integer,
    chance: (probability) => float() < probability,
    pick: (items) => {
      if (items.length === 0) {
        throw new RandomError({
          operation: 'RandomSource.pick',
          expected: 'at least one item',
          received: 'an empty list',
          remedy: 'do not pick from an empty list',
          value: items,
        });
      }
      return items[integer(items.length)]!;
    },
    shuffle: (items) => {
      const result = [...items];
      for (let index = result.length - 1; index > 0; index--) {
        const other = integer(index + 1);
        const held = result[index]!;
        result[index] = result[other]!;
        result[other] = held;
      }
      return result;
    },
  };
}
