import { ConfigError } from '../errors.js';
import type { RandomKey } from './key.js';
import { philoxWordsInto } from './philox.js';

/** @internal The first `length` random words of a key. */
export function randomWords(key: RandomKey, length: number): Uint32Array {
  const words = new Uint32Array(length);
  philoxWordsInto(key.low, key.high, 0, 0, 0, words);
  return words;
}

const bufferedWords = 1024;

/** @internal The random words of a key one after the other, for algorithms that cannot tell how many they need. */
export function wordSequence(key: RandomKey): () => number {
  const words = new Uint32Array(bufferedWords);
  let used = bufferedWords;
  let block = 0;
  return () => {
    if (used === bufferedWords) {
      philoxWordsInto(key.low, key.high, 0, 0, 0, words, block);
      block += bufferedWords / 4;
      used = 0;
    }
    return words[used++]!;
  };
}

/** @internal An unbiased integer in [0, range): words of the last, incomplete run of `range` are passed over. */
export function boundedInteger(next: () => number, range: number): number {
  const limit = 2 ** 32 - (2 ** 32 % range);
  let word = next();
  while (word >= limit) {
    word = next();
  }
  return word % range;
}

/** @internal Refuses what is not a count of elements. */
export function checkLength(operation: string, length: number): void {
  if (!Number.isSafeInteger(length) || length < 0 || length > 2 ** 32) {
    throw new ConfigError({ operation, expected: 'a length of 0 to 2³²', received: String(length) });
  }
}
