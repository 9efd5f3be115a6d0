/**
 * A 64-bit key of the counter-based generator: two unsigned 32-bit words. Keys are plain values; randomness enters a
 * function as a key and never through hidden state.
 */
export interface RandomKey {
  readonly high: number;
  readonly low: number;
}

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
export class RandomError extends Error {
  override readonly name = 'RandomError';
  constructor(
    message: string,
    readonly value: unknown,
  ) {
    super(message);
  }
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Third counter word: keeps derived keys, label hashes and the stream of values apart. */
const STREAM_DOMAIN = 0;
const FOLD_DOMAIN = 1;
const LABEL_DOMAIN = 2;

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + (carry - (carry % 65536)) / 65536) >>> 0;
}

/**
 * Philox4x32 with ten rounds: a bijection of the 128-bit counter under a 64-bit key, in 32-bit integer arithmetic only,
 * so that every platform computes the same words (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * The root key of a seed.
 *
 * @param seed a non-negative safe integer
 * @throws RandomError if the seed is negative, fractional or beyond 2⁵³ − 1
 */
export function randomKey(seed: number): RandomKey {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RandomError(
      `randomKey: expected a non-negative safe integer seed, received ${seed}; choose a seed between 0 and ${Number.MAX_SAFE_INTEGER}`,
      seed,
    );
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
    const [first, second] = philox4x32([low, high, FOLD_DOMAIN, 0], [key.low, key.high]);
    return { high: second, low: first };
  }
  let words: [number, number] = [key.low, key.high];
  for (let index = 0; index <= value.length; index++) {
    const unit = index < value.length ? value.charCodeAt(index) : value.length;
    const [first, second] = philox4x32([unit, index, LABEL_DOMAIN, 0], words);
    words = [first, second];
  }
  return { high: words[1], low: words[0] };
}

/** A stream of values of a key, from its beginning. Two sources of one key yield the same values. */
export function randomSource(key: RandomKey): RandomSource {
  let block: readonly number[] = [];
  let used = 4;
  let low = 0;
  let high = 0;

  const uint32 = (): number => {
    if (used === 4) {
      block = philox4x32([low, high, STREAM_DOMAIN, 0], [key.low, key.high]);
      used = 0;
      low = (low + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
    }
    return block[used++]!;
  };

  const float = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;

  const integer = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RandomError(
        `RandomSource.integer: expected an integer bound between 1 and 2^32, received ${bound}`,
        bound,
      );
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
        throw new RandomError('RandomSource.pick: expected at least one item, received an empty list', items);
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
