import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { philoxBlock, philoxUniformInto, philoxWordsInto } from '../../src/random/philox.js';

/** Philox4x32-10 as its paper writes it, in exact integers. */
function referenceBlock(key: readonly number[], counter: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const product0 = 0xd2511f53n * c0;
    const product1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(product1 >> 32n) ^ c1 ^ k0, product1 & mask, (product0 >> 32n) ^ c3 ^ k1, product0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

describe('Philox4x32-10', () => {
  it.each([
    [
      [0, 0],
      [0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the known answers of Random123 for key %j', (key, counter, expected) => {
    expect([...philoxBlock([...key], [...counter])]).toEqual([...expected]);
  });

  it('agrees with exact integer arithmetic on many keys and counters', () => {
    const inputs = new Uint32Array(6 * 500);
    philoxWordsInto(1, 2, 3, 4, 5, inputs);
    for (let i = 0; i < inputs.length; i += 6) {
      const [k0, k1, c0, c1, c2, c3] = [...inputs.subarray(i, i + 6)] as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      expect([...philoxBlock([k0, k1], [c0, c1, c2, c3])]).toEqual(referenceBlock([k0, k1], [c0, c1, c2, c3]));
    }
  });

  it('fills arrays with consecutive counters, whatever their length', () => {
    const words = new Uint32Array(11);
    philoxWordsInto(7, 8, 1, 2, 3, words, 5);
    const blocks = [5, 6, 7].flatMap((block) => [...philoxBlock([7, 8], [block, 1, 2, 3])]);
    expect([...words]).toEqual(blocks.slice(0, 11));
  });
});

describe('philoxUniformInto', () => {
  it('gives the upper 24 bits of each word as a fraction', () => {
    const values = new Float32Array(6);
    philoxUniformInto(9, 10, 11, values);
    const words = [...philoxBlock([9, 10], [0, 0, 11, 0]), ...philoxBlock([9, 10], [1, 0, 11, 0])];
    expect([...values]).toEqual(words.slice(0, 6).map((word) => Math.floor(word / 256) / 2 ** 24));
  });

  it('writes a view into a larger array without touching the rest', () => {
    const all = new Float32Array(10).fill(-1);
    philoxUniformInto(1, 2, 0, all.subarray(2, 7));
    expect([...all].map((value) => value === -1)).toEqual([true, true, ...Array(5).fill(false), true, true, true]);
  });

  it('gives the pinned bytes for a key', () => {
    const values = new Float32Array(1000);
    philoxUniformInto(0x12345678, 0x9abcdef0, 42, values);
    const digest = createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
    expect(digest).toBe('3dd795f269bddcb8a52d89f005436b3ea0d3977bef840e4e023d6e9763005227');
  });

  it('gives unrelated numbers in every stream', () => {
    const a = new Float32Array(20000);
    const b = new Float32Array(20000);
    philoxUniformInto(1, 2, 0, a);
    philoxUniformInto(1, 2, 1, b);
    const covariance = a.reduce((sum, value, i) => sum + (value - 0.5) * (b[i]! - 0.5), 0) / a.length;
    // Its deviation is (1/12)/√20000 = 0.00059.
    expect(Math.abs(covariance)).toBeLessThan(0.0024);
  });
});
