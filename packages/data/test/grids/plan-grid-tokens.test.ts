import { closeEngine, interpolate, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { gridLayout } from '../../src/grids/grid-layout.js';
import { imageGrid } from '../../src/grids/image-grid.js';
import { type GridTokenPlan, planGridTokens } from '../../src/grids/plan-grid-tokens.js';

const grid = imageGrid({
  tile: 4,
  candidates: [
    { width: 12, height: 8 },
    { width: 4, height: 8 },
  ],
});

/** Tokens of a plan, where feature i has the value `values[i]`. */
function apply({ tokens, taps, rows, weights }: GridTokenPlan, values: ArrayLike<number>): number[] {
  return Array.from({ length: tokens }, (_, token) => {
    let value = 0;
    for (let tap = token * taps; tap < (token + 1) * taps; tap++) value += weights[tap]! * values[rows[tap]!]!;
    return value;
  });
}

describe('planGridTokens', () => {
  afterAll(closeEngine);

  it('goes through the rows of the whole grid, not tile by tile, with a newline behind each', () => {
    // 3 × 2 tiles of 2 × 2 features, all of them kept; features 0 to 3 are the whole image, 28 is the newline.
    const plan = planGridTokens([gridLayout({ width: 12, height: 8 }, grid, 2)], { featuresPerSide: 2 });
    expect(plan).toMatchObject({ tiles: [7], lengths: [32], tokens: 32, taps: 1 });
    expect([...plan.rows]).toEqual([
      ...[0, 1, 2, 3],
      ...[4, 5, 8, 9, 12, 13, 28],
      ...[6, 7, 10, 11, 14, 15, 28],
      ...[16, 17, 20, 21, 24, 25, 28],
      ...[18, 19, 22, 23, 26, 27, 28],
    ]);
    expect(new Set(plan.weights)).toEqual(new Set([1]));
  });

  it('leaves the black out, and goes on behind the tiles of the images before', () => {
    const plan = planGridTokens(
      [{ tokens: 4 }, gridLayout({ width: 2, height: 8 }, grid, 2), gridLayout({ width: 12, height: 4 }, grid, 2)],
      { featuresPerSide: 2, towerInputs: 12, paddedTokens: (tokens) => tokens + 2 },
    );
    // The second image is centred on 4 × 8: of its two columns of features, [1 − ½] are cut on both sides.
    expect(plan).toMatchObject({ tiles: [1, 3, 7], lengths: [4, 4 + 4 * 3, 4 + 2 * 7] });
    const second = plan.rows.slice(4, 20);
    expect([...second]).toEqual([4, 5, 6, 7, 8, 9, 48, 10, 11, 48, 12, 13, 48, 14, 15, 48]);
    const third = plan.rows.slice(20, 38);
    expect([...third]).toEqual([...[16, 17, 18, 19], ...[22, 23, 26, 27, 30, 31, 48], ...[32, 33, 36, 37, 40, 41, 48]]);
    // The newline comes behind the features of blank inputs too; padding points to the first row.
    expect([...plan.rows.slice(38)]).toEqual([0, 0]);
  });

  it('resizes a grid of too many features as PyTorch does', async () => {
    const limited = imageGrid({ ...grid, maximumTiles: 2 });
    const layout = gridLayout({ width: 12, height: 7 }, limited, 3);
    expect(layout).toMatchObject({ unpadded: { top: 0, rows: 6, columns: 9 }, kept: { rows: 3, columns: 5 } });
    const plan = planGridTokens([layout, { tokens: 9 }], { featuresPerSide: 3 });
    expect(plan).toMatchObject({ taps: 4, lengths: [9 + 3 * 6, 9] });
    const values = Array.from({ length: 73 }, (_, index) => Math.sin(index * index));
    values[72] = 1000;

    const canvas = new Float32Array(54);
    for (let row = 0; row < 6; row++) {
      for (let column = 0; column < 9; column++) {
        const tile = Math.floor(row / 3) * 3 + Math.floor(column / 3);
        canvas[row * 9 + column] = values[9 + tile * 9 + (row % 3) * 3 + (column % 3)]!;
      }
    }
    const resized = interpolate(tensor(canvas, [1, 1, 6, 9]), { size: [3, 5], mode: 'bilinear' });
    const expected = [...(await resized.data())] as number[];
    const rows = [0, 1, 2].flatMap((row) => [...expected.slice(row * 5, row * 5 + 5), 1000]);
    const tokens = apply(plan, values);
    for (const [index, value] of [...values.slice(0, 9), ...rows, ...values.slice(63, 72)].entries()) {
      expect(tokens[index]).toBeCloseTo(value, 5);
    }
  });

  it('is empty without images', () => {
    expect(planGridTokens([], { featuresPerSide: 2 })).toMatchObject({ tokens: 0, taps: 1, tiles: [] });
  });

  it('refuses layouts of other tiles', () => {
    const layout = gridLayout({ width: 12, height: 8 }, grid, 2);
    expect(() => planGridTokens([layout], { featuresPerSide: 3 })).toThrow(/images of 9 visual tokens a tile.*4/);
    expect(() => planGridTokens([{ tokens: 5 }], { featuresPerSide: 2 })).toThrow(/received 5/);
  });
});
