import { ShapeError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { decodeCtc, type NumberMap, readAlphabet, textRegionsFromMap } from '../../src/index.js';

/** A map in which a function tells the probabilities. */
function mapOf(width: number, height: number, probability: (x: number, y: number) => number): NumberMap {
  const values = Float32Array.from({ length: width * height }, (_, place) =>
    probability(place % width, Math.floor(place / width)),
  );
  return { width, height, values };
}

const within = (x: number, y: number, [left, top, right, bottom]: readonly [number, number, number, number]) =>
  x >= left && x <= right && y >= top && y <= bottom;

describe('textRegionsFromMap', () => {
  it('grows the rectangle of a bar, in pixels of the picture', () => {
    const map = mapOf(40, 20, (x, y) => (within(x, y, [4, 5, 23, 9]) ? 0.9 : 0.1));
    const [region, ...others] = textRegionsFromMap(map, { width: 80, height: 40 });
    // 19 by 4 between the centres of pixels: 19 · 4 · 1.5 / 46 = 2.48 more on every side, twice as large in the picture.
    expect(others).toEqual([]);
    expect(region!.corners).toEqual([
      [3, 5],
      [51, 5],
      [51, 23],
      [3, 23],
    ]);
    expect(region!.score).toBeCloseTo(0.9, 5);
  });

  it('finds text at an angle', () => {
    // A bar of slope one half.
    const map = mapOf(60, 40, (x, y) => (Math.abs(y - 5 - x / 2) <= 4 && x >= 8 && x <= 50 ? 0.9 : 0));
    const [region, ...others] = textRegionsFromMap(map, map, { growth: 0 });
    expect(others).toEqual([]);
    const [topLeft, topRight] = region!.corners;
    expect((topRight[1] - topLeft[1]) / (topRight[0] - topLeft[0])).toBeCloseTo(0.5, 1);
  });

  it('leaves out what is improbable, or too thin', () => {
    const size = { width: 40, height: 20 };
    const bar = (probability: number, bottom: number) =>
      mapOf(40, 20, (x, y) => (within(x, y, [4, 5, 23, bottom]) ? probability : 0));
    expect(textRegionsFromMap(bar(0.5, 9), size)).toEqual([]);
    expect(textRegionsFromMap(bar(0.5, 9), size, { regionThreshold: 0.4 })).toHaveLength(1);
    expect(textRegionsFromMap(bar(0.25, 9), size, { regionThreshold: 0.1 })).toEqual([]);
    expect(textRegionsFromMap(bar(0.9, 7), size)).toEqual([]);
    expect(textRegionsFromMap(bar(0.9, 8), size)).toHaveLength(1);
  });

  it('goes down the page, and to the right within a line', () => {
    const bars = [
      [60, 4, 90, 10],
      [4, 8, 40, 14],
      [4, 40, 40, 46],
    ] as const;
    const map = mapOf(100, 60, (x, y) => (bars.some((bar) => within(x, y, bar)) ? 0.9 : 0));
    const starts = textRegionsFromMap(map, map, { growth: 0 }).map(({ corners }) => corners[0]);
    expect(starts).toEqual([
      [4, 8],
      [60, 4],
      [4, 40],
    ]);
  });

  it('refuses a map of another size than its sides', () => {
    const map = { width: 4, height: 4, values: new Float32Array(3) };
    expect(() => textRegionsFromMap(map, map)).toThrow(ShapeError);
  });
});

describe('decodeCtc', () => {
  const alphabet = ['a', 'b'];
  /** Steps as their likeliest symbol and its probability. */
  const steps = (...likeliest: readonly (readonly [symbol: number, probability: number])[]) =>
    Float32Array.from(
      likeliest.flatMap(([symbol, probability]) =>
        [0, 1, 2].map((each) => (each === symbol ? probability : (1 - probability) / 2)),
      ),
    );

  it('reads repeated symbols once, and again behind a blank', () => {
    const read = decodeCtc(steps([1, 0.9], [1, 0.5], [0, 0.9], [1, 0.8], [2, 0.7], [0, 1]), alphabet);
    expect(read.text).toBe('aab');
    expect(read.confidence).toBeCloseTo((0.9 + 0.8 + 0.7) / 3, 5);
  });

  it('reads nothing in blanks', () => {
    expect(decodeCtc(steps([0, 1], [0, 1]), alphabet)).toEqual({ text: '', confidence: 0 });
  });

  it('refuses another alphabet than the model’s', () => {
    expect(() => decodeCtc(new Float32Array(7), alphabet)).toThrow(/PaddleOCR/);
  });

  it('has a space behind the characters of a file', () => {
    expect(readAlphabet("'\r\n疗\nA\n")).toEqual(["'", '疗', 'A', ' ']);
  });
});
