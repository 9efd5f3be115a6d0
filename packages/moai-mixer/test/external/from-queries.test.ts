import { ShapeError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { detectionsFromQueries, panopticFromQueries } from '../../src/index.js';

describe('panopticFromQueries', () => {
  const sure = 8;
  /** Masks of two by two cells: a query is sure of the cells that it names. */
  const masks = (...cells: readonly (readonly number[])[]) =>
    Float32Array.from(cells.flatMap((named) => [0, 1, 2, 3].map((cell) => (named.includes(cell) ? sure : -sure))));
  /** Of two classes and no object. */
  const classes = (...logits: readonly (readonly [number, number, number])[]) => Float32Array.from(logits.flat());
  const sizes = { height: 2, width: 2 } as const;

  it('gives each pixel to its likeliest query, and numbers segments in their order', () => {
    const { ids, segments } = panopticFromQueries(
      {
        ...sizes,
        queries: 3,
        classLogits: classes([sure, 0, 0], [0, 0, sure], [0, sure, 0]),
        maskLogits: masks([0, 2], [0, 1, 2, 3], [1, 3]),
      },
      { imageSize: 4 },
    );
    expect(segments).toEqual([
      { id: 1, label: 0 },
      { id: 2, label: 1 },
    ]);
    expect(Array.from(ids)).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2]);
  });

  it('leaves pixels of no accepted segment at 0', () => {
    // The second query is not sure enough anywhere: its product with the class's probability stays below 0.95.
    const { ids, segments } = panopticFromQueries(
      { ...sizes, queries: 2, classLogits: classes([sure, 0, 0], [0, 2.5, 0]), maskLogits: masks([0, 2], [1, 3]) },
      { imageSize: 2 },
    );
    expect(segments).toEqual([{ id: 1, label: 0 }]);
    expect(Array.from(ids)).toEqual([1, 0, 1, 0]);
  });

  it('drops a query of whose mask others own too much', () => {
    const { segments } = panopticFromQueries(
      { ...sizes, queries: 2, classLogits: classes([5, 0, 0], [0, sure, 0]), maskLogits: masks([0, 1, 2, 3], [1, 3]) },
      { imageSize: 8 },
    );
    expect(segments).toEqual([{ id: 1, label: 1 }]);
  });

  it('is −1 everywhere where no query has an object', () => {
    const nothing = panopticFromQueries(
      { ...sizes, queries: 1, classLogits: classes([0, 0, sure]), maskLogits: masks([0]) },
      { imageSize: 2 },
    );
    expect(nothing.segments).toEqual([]);
    expect(Array.from(nothing.ids)).toEqual([-1, -1, -1, -1]);
  });

  it('refuses masks of another size', () => {
    const output = { ...sizes, queries: 2, classLogits: classes([1, 0, 0], [1, 0, 0]), maskLogits: masks([0]) };
    expect(() => panopticFromQueries(output)).toThrow(ShapeError);
  });
});

describe('detectionsFromQueries', () => {
  it('names each box by its best name and turns it into edges in pixels', () => {
    const found = detectionsFromQueries(
      {
        logits: Float32Array.of(0, 2, -1, -9, -8, -7),
        boxes: Float32Array.of(0.5, 0.25, 1.2, 0.5, 0.5, 0.5, 0.1, 0.1),
      },
      { imageSize: 100 },
    );
    expect(found).toHaveLength(1);
    expect(found[0]!.label).toBe(1);
    expect(found[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    found[0]!.box.forEach((edge, index) => {
      expect(edge).toBeCloseTo([-10, 0, 110, 50][index]!, 4);
    });
  });

  it('finds nothing among no boxes, and refuses logits that are not as many', () => {
    expect(detectionsFromQueries({ logits: new Float32Array(0), boxes: new Float32Array(0) })).toEqual([]);
    const odd = { logits: new Float32Array(5), boxes: new Float32Array(8) };
    expect(() => detectionsFromQueries(odd)).toThrow(ShapeError);
  });
});
