import { describe, expect, it } from 'vitest';
import {
  addIndex,
  constantIndex,
  divideIndex,
  type IndexExpression,
  indexRange,
  indexStrides,
  indexText,
  linearIndex,
  scaleIndex,
  splitIndex,
  variableIndex,
} from '../../../../src/engine/cuda/codegen/index-expression.js';
import { sizeOf } from '../../../../src/graph/shape.js';

/** The C expression with whole numbers, as C computes it. */
function evaluated(index: IndexExpression, variables: Readonly<Record<string, number>>): number {
  const whole = indexText(index).replace(/\b\d+\b/g, '$&n');
  const values = Object.values(variables).map(BigInt);
  return Number(new Function(...Object.keys(variables), `return ${whole}`)(...values));
}

describe('index expressions', () => {
  it('join what a reshape took apart', () => {
    const i = variableIndex({ text: 'i', size: 24 });
    const apart = splitIndex(i, [2, 3, 4]);
    expect(apart.map(indexText)).toEqual(['(i / 12)', '((i / 4) % 3)', '(i % 4)']);
    expect(indexText(linearIndex(apart, [2, 3, 4]))).toBe('i');
    expect(indexText(linearIndex(splitIndex(linearIndex(apart, [2, 3, 4]), [6, 4]), [6, 4]))).toBe('i');
  });

  it('take rows and columns apart without dividing', () => {
    const [row, column] = [variableIndex({ text: 'row', size: 6 }), variableIndex({ text: 'column', size: 8 })];
    const element = addIndex(scaleIndex(row, 8), column);
    expect(splitIndex(element, [2, 3, 8]).map(indexText)).toEqual(['(row / 3)', '(row % 3)', 'column']);
    expect(splitIndex(element, [6, 2, 4]).map(indexText)).toEqual(['row', '(column / 4)', '(column % 4)']);
    expect(indexText(divideIndex(element, 8).quotient)).toBe('row');
  });

  it('know their strides, where they have them', () => {
    const variables = [
      { text: 'a', size: 3 },
      { text: 'b', size: 4 },
    ];
    const [a, b] = variables.map(variableIndex) as [IndexExpression, IndexExpression];
    expect(indexStrides(addIndex(scaleIndex(b, 5), addIndex(a, constantIndex(7))), variables)).toEqual([1, 5]);
    expect(indexStrides(divideIndex(addIndex(scaleIndex(a, 3), b), 2).quotient, variables)).toBeUndefined();
  });

  it('are what the places of elements are, through any reshapes, transpositions and slices', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const shapes = [[2, 3, 4], [6, 4], [4, 6], [24], [3, 8], [2, 2, 6], [1, 12, 2]];
    for (let round = 0; round < 60; round++) {
      // What the expression says, and what moving 24 numbers about says.
      let index: IndexExpression = variableIndex({ text: 'i', size: 24 });
      let places = Array.from({ length: 24 }, (_, i) => i);
      let shape = [24];
      for (let step = 0; step < 4; step++) {
        const target = shapes[random(shapes.length)]!;
        const coordinates = splitIndex(index, target);
        const axes = target.map((_, axis) => axis).sort(() => random(3) - 1);
        const from = axes.map((axis) => target[axis]!);
        // The element at `coordinates` of the transposed array is one of an array of shape `from`.
        const moved: IndexExpression[] = [];
        axes.forEach((axis, position) => {
          moved[position] = coordinates[axis]!;
        });
        index = linearIndex(moved, from);
        places = places.map((place) => {
          const digits = target.map((size, axis) => Math.floor(place / sizeOf(target.slice(axis + 1))) % size);
          return axes.reduce((sum, axis, position) => sum * from[position]! + digits[axis]!, 0);
        });
        shape = from;
      }
      expect(sizeOf(shape)).toBe(24);
      places.forEach((place, i) => {
        expect(evaluated(index, { i })).toBe(place);
      });
      expect(indexRange(index)[1]).toBeGreaterThanOrEqual(23);
    }
  });
});
