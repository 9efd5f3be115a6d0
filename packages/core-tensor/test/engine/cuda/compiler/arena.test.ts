import { describe, expect, it } from 'vitest';
import { planArena } from '../../../../src/engine/cuda/compiler/arena.js';

describe('planArena', () => {
  it('gives values that follow each other one place', () => {
    const { offsets, bytes } = planArena([
      { bytes: 1000, first: 0, last: 1 },
      { bytes: 1000, first: 2, last: 3 },
      { bytes: 300, first: 1, last: 2 },
    ]);
    expect(offsets[0]).toBe(offsets[1]);
    expect(offsets[2]).toBe(1024);
    expect(bytes).toBe(1024 + 512);
  });

  it('never lets values that live at once overlap, and wastes little', () => {
    let seed = 3;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const lifetimes = Array.from({ length: 300 }, () => {
      const first = random(200);
      return { bytes: 1 + random(100_000), first, last: first + random(12) };
    });
    const { offsets, bytes } = planArena(lifetimes);
    const size = (index: number) => Math.ceil(lifetimes[index]!.bytes / 256) * 256;
    let atOnce = 0;
    for (let time = 0; time < 212; time++) {
      const living = lifetimes.flatMap(({ first, last }, index) => (first <= time && time <= last ? [index] : []));
      living.sort((a, b) => offsets[a]! - offsets[b]!);
      living.forEach((index, position) => {
        expect(offsets[index]! % 256).toBe(0);
        const next = living[position + 1];
        if (next !== undefined) expect(offsets[index]! + size(index)).toBeLessThanOrEqual(offsets[next]!);
        expect(offsets[index]! + size(index)).toBeLessThanOrEqual(bytes);
      });
      atOnce = Math.max(
        atOnce,
        living.reduce((sum, index) => sum + size(index), 0),
      ); // what no plan can do without
    }
    expect(bytes).toBeLessThanOrEqual(1.15 * atOnce);
  });
});
