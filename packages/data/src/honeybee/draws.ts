import { type RandomKey, randomSource } from '../random.js';

/** Random decisions, in the order in which they are taken. */
export interface Draws {
  /** One of 0 … count − 1, uniformly. */
  choice(count: number): number;
  /** 0 … count − 1 in uniformly random order. */
  order(count: number): readonly number[];
}

/** The decisions of a key. */
export function drawsOf(key: RandomKey): Draws {
  const source = randomSource(key);
  return {
    choice: (count) => source.integer(count),
    order: (count) => source.shuffle(Array.from({ length: count }, (_, index) => index)),
  };
}
