import { describe, expect, it } from 'vitest';
import {
  evenRows,
  type FloatTensor,
  reshaped,
  type Shape,
  ShapeError,
  sizeOf,
  stackedRows,
  transposed,
  type WeightLayout,
} from '../../src/index.js';

function counted(shape: Shape, from = 0): FloatTensor {
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => from + i) };
}

const cases: [name: string, layout: WeightLayout, stored: Shape, parameters: Shape[]][] = [
  [
    'evenRows',
    evenRows(3),
    [6, 4],
    [
      [2, 4],
      [2, 4],
      [2, 4],
    ],
  ],
  ['evenRows of vectors', evenRows(2), [6], [[3], [3]]],
  [
    'stackedRows',
    stackedRows,
    [7, 2, 3],
    [
      [4, 2, 3],
      [1, 2, 3],
      [2, 2, 3],
    ],
  ],
  ['transposed', transposed, [70, 33], [[33, 70]]],
  ['reshaped', reshaped((shape) => [1, ...shape, 1]), [1, 5, 2, 1], [[5, 2]]],
  ['reshaped to a shape', reshaped([10]), [10], [[5, 2]]],
];

describe('layouts', () => {
  it.each(cases)('%s is undone by its inverse', (_, layout, stored, parameters) => {
    expect(layout.shape(parameters)).toEqual(stored);
    const original = counted(stored);
    const parts = layout.read(original, parameters);
    expect(parts.map(({ shape }) => shape)).toEqual(parameters);
    expect(layout.write(parts)).toEqual(original);
  });

  it('put the elements where they belong', () => {
    const rows = evenRows(2).read(counted([4, 2]), [
      [2, 2],
      [2, 2],
    ]);
    expect(rows.map(({ data }) => [...data])).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    const [matrix] = transposed.read(counted([2, 3]), [[3, 2]]);
    expect([...matrix!.data]).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('refuse parameters that cannot be stored so', () => {
    expect(() =>
      evenRows(3).shape([
        [2, 4],
        [2, 4],
      ]),
    ).toThrow('expected 3 parameters of one shape, received [2, 4] and [2, 4]');
    expect(() =>
      evenRows(2).shape([
        [2, 4],
        [3, 4],
      ]),
    ).toThrow(ShapeError);
    expect(() =>
      stackedRows.shape([
        [2, 4],
        [3, 5],
      ]),
    ).toThrow('agree in all but their rows');
    expect(() => transposed.shape([[2, 4, 1]])).toThrow('[rows, columns]');
    expect(() => reshaped([3]).shape([[2, 4]])).toThrow('as many elements as [2, 4]');
  });
});
