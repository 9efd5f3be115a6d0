import { philoxBlock } from '@ocelli/core-tensor';
import { fold, type RandomKey } from '../random.js';

const ROUNDS = 6;

/**
 * A random permutation of 0 … size − 1 that computes any of its elements directly, so that a shuffled epoch of any size
 * costs neither memory nor a pause: a Feistel network over the next power of four, walked until it falls below `size`
 * (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
 *
 * @param size at most 2³²
 * @returns the element at a position
 */
export function permutation(size: number, key: RandomKey): (position: number) => number {
  let halfBits = 1;
  while (4 ** halfBits < size) halfBits++;
  const mask = 2 ** halfBits - 1;
  const { low, high } = fold(key, 'permutation');

  const step = (value: number): number => {
    let left = Math.floor(value / (mask + 1));
    let right = value % (mask + 1);
    for (let round = 0; round < ROUNDS; round++) {
      const [word] = philoxBlock([low, high], [right, round, 0, 0]);
      const next = (left ^ (word! & mask)) >>> 0;
      left = right;
      right = next;
    }
    return left * (mask + 1) + right;
  };

  return (position) => {
    let value = step(position);
    while (value >= size) value = step(value);
    return value;
  };
}
