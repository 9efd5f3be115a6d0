import { ConfigError } from '../errors.js';
import { philoxBlock } from './philox.js';

/**
 * Where random numbers come from: the two words of a Philox key. A key is a value: the same key gives the same
 * numbers every time, and new numbers need a new key from {@link foldIn} or {@link splitKey}.
 */
export interface RandomKey {
  readonly low: number;
  readonly high: number;
}

// Last word of the counter. Numbers are drawn with 0 there, so that derived keys never repeat drawn numbers.
const integerDomain = 1;
const textDomain = 2;

function keyFrom(key: RandomKey, word0: number, word1: number, word2: number, domain: number): RandomKey {
  const [low, high] = philoxBlock([key.low, key.high], [word0, word1, word2, domain]);
  return { low: low!, high: high! };
}

/** Low and high word of an integer in two's complement. */
function wordsOf(operation: string, value: number | bigint): [low: number, high: number] {
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : value < -(2n ** 63n) || value >= 2n ** 64n) {
    throw new ConfigError({
      operation,
      expected: 'a safe integer, or a bigint of 64 bits',
      received: String(value),
      remedy: 'Give an integer, or a string of any kind.',
    });
  }
  const bits = BigInt.asUintN(64, BigInt(value));
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

/**
 * A key from a seed: an integer (the same number as `number` and as `bigint` gives the same key) or a text.
 *
 * @throws ConfigError where a number is not an integer that can be held exactly
 */
export function randomKey(seed: number | bigint | string): RandomKey {
  if (typeof seed === 'string') {
    return foldIn({ low: 0, high: 0 }, seed);
  }
  const [low, high] = wordsOf('randomKey', seed);
  return { low, high };
}

/**
 * The key of one part of something: a layer by its name, a step by its number. Different data give independent keys.
 *
 * @throws ConfigError where a number is not a safe integer
 */
export function foldIn(key: RandomKey, data: number | string): RandomKey {
  if (typeof data === 'number') {
    const [low, high] = wordsOf('foldIn', data);
    return keyFrom(key, low, high, 0, integerDomain);
  }
  const bytes = new TextEncoder().encode(data);
  const words = new Uint32Array(Math.ceil(bytes.length / 8) * 2);
  bytes.forEach((byte, i) => {
    words[i >> 2]! |= byte << (8 * (i & 3));
  });
  // The length goes first: it tells a text from the same text with zero bytes behind it.
  let folded = keyFrom(key, bytes.length, 0, 0, textDomain);
  for (let i = 0; i < words.length; i += 2) {
    folded = keyFrom(folded, words[i]!, words[i + 1]!, 1, textDomain);
  }
  return folded;
}

/**
 * `count` independent keys: those of {@link foldIn} with 0, 1, …
 *
 * @throws ConfigError where `count` is not a non-negative integer
 */
export function splitKey(key: RandomKey, count = 2): RandomKey[] {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new ConfigError({ operation: 'splitKey', expected: 'a count of keys', received: String(count) });
  }
  return Array.from({ length: count }, (_, index) => foldIn(key, index));
}
