import { closeEngine, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { LevelAlignment } from '../../src/index.js';

afterAll(closeEngine);

/** A level whose only feature counts its places. */
function counting(side: number, width = 1) {
  const features = tensor(
    Float32Array.from({ length: side * side * width }, (_, index) => Math.floor(index / width)),
    [1, side * side, width],
  );
  return { features, grid: [side, side] as const };
}

describe('LevelAlignment', () => {
  it('averages larger grids, enlarges smaller ones, and leaves what is not managed', async () => {
    const levels = [counting(4), counting(1), counting(3), counting(2)];
    const alignment = new LevelAlignment(levels, [0, 1, 3]);
    expect(alignment.parameterCount()).toBe(0);
    const [large, small, other, last] = alignment.forward(levels);
    expect([...(await large!.data())]).toEqual([2.5, 4.5, 10.5, 12.5]);
    expect([...(await small!.data())]).toEqual([0, 0, 0, 0]);
    expect(other).toBe(levels[2]!.features);
    expect(last).toBe(levels[3]!.features);
  });

  it('gives managed levels of another width a linear layer each', async () => {
    const levels = [counting(2, 3), counting(2, 5), counting(4, 3), counting(2, 2)];
    const alignment = new LevelAlignment(levels, [0, 2, 3]).initialize(1);
    expect(Object.entries(alignment.namedParameters()).map(([name, { shape }]) => [name, shape])).toEqual([
      ['projections.0.weight', [2, 3]],
      ['projections.0.bias', [2]],
      ['projections.2.weight', [2, 3]],
      ['projections.2.bias', [2]],
    ]);
    alignment.projections['0']!.bias!.set(Float32Array.of(1, 2));
    alignment.namedParameters()['projections.0.weight']!.set(Float32Array.of(1, 1, 1, 0, 0, 2));
    const [first] = alignment.forward(levels);
    expect(first!.shape).toEqual([1, 4, 2]);
    expect([...(await first!.data())]).toEqual([1, 2, 4, 4, 7, 6, 10, 8]);
  });
});
