import { closeEngine, initializers, randomKey, ShapeError, type Tensor, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { DeformableAttention, directionBias } from '../../src/index.js';
import { normalTensor } from '../support.js';

const identity = (width: number) => initializers.identity([width, width], randomKey(0));

/** One head and one point, which looks exactly at its reference and returns what is there. */
function looking(width: number): DeformableAttention {
  const attention = new DeformableAttention({ width, heads: 1, points: 1, levels: 1, initializer: initializers.zeros });
  attention.value_proj.floatWeight.set(identity(width));
  attention.output_proj.floatWeight.set(identity(width));
  return attention;
}

async function numbers(x: Tensor): Promise<number[]> {
  return [...((await x.data()) as Float32Array)];
}

afterAll(closeEngine);

describe('DeformableAttention', () => {
  it('reads (x, y) in a map of (rows, columns), between cells and beyond the border', async () => {
    const value = tensor(
      Float32Array.from({ length: 6 }, (_, cell) => cell),
      [1, 6, 1],
    ); // 0 1 2 / 3 4 5
    const references = [
      [5 / 6, 0.25], // centre of the last cell of the first row
      [1 / 6, 0.75], // centre of the first cell of the second row
      [0.5, 0.5], // between 1 and 4
      [1, 0.75], // half beyond the last cell of the second row
      [2, 2],
    ];
    const places = tensor(Float32Array.from(references.flat()), [1, 5, 1, 2]);
    const { output, weights } = looking(1).forward(normalTensor(1, 5, 1), places, value, [[2, 3]]);
    const seen = await numbers(output);
    [2, 3, 2.5, 2.5, 0].forEach((expected, query) => {
      expect(seen[query]).toBeCloseTo(expected, 5);
    });
    expect(await numbers(weights)).toEqual([1, 1, 1, 1, 1]);
  });

  it('counts offsets in cells from points, and in halves of a box from boxes', async () => {
    const attention = looking(1);
    attention.sampling_offsets.bias!.set(Float32Array.of(1, 0));
    const value = tensor(
      Float32Array.from({ length: 4 }, (_, cell) => cell),
      [1, 4, 1],
    );
    const query = normalTensor(1, 1, 1);
    const at = async (reference: readonly number[]) => {
      const places = tensor(Float32Array.from(reference), [1, 1, 1, reference.length]);
      return numbers(attention.forward(query, places, value, [[1, 4]]).output);
    };
    expect((await at([0.125, 0.5]))[0]).toBeCloseTo(1, 5);
    // Half of 0.5 to the right of 0.125 is the centre of the second cell.
    expect((await at([0.125, 0.5, 0.5, 1]))[0]).toBeCloseTo(1, 5);
    expect((await at([0.125, 0.5, 1, 1]))[0]).toBeCloseTo(2, 5);
  });

  it('starts with a direction for each head and a distance for each point', () => {
    const bias = directionBias({ heads: 8, levels: 2, points: 3 })([8 * 2 * 3 * 2], randomKey(0));
    const offset = (head: number, level: number, point: number) =>
      [0, 1].map((axis) => bias[((head * 2 + level) * 3 + point) * 2 + axis]!);
    const expected = [
      [1, 0],
      [1, 1],
      [0, 1],
      [-1, 1],
      [-1, 0],
      [-1, -1],
      [0, -1],
      [1, -1],
    ];
    expected.forEach((direction, head) => {
      for (const point of [0, 1, 2]) {
        offset(head, 1, point).forEach((value, axis) => {
          expect(value).toBeCloseTo(direction[axis]! * (point + 1), 6);
        });
      }
    });
  });

  it('refuses what does not fit', () => {
    expect(() => new DeformableAttention({ width: 10 })).toThrow(ShapeError);
    const attention = looking(2);
    const [query, references] = [normalTensor(1, 3, 2), normalTensor(1, 3, 1, 2)];
    expect(() => attention.forward(query, references, normalTensor(1, 5, 2), [[2, 3]])).toThrow('value [batch, 6, 2]');
    expect(() => attention.forward(query, normalTensor(1, 3, 2, 2), normalTensor(1, 6, 2), [[2, 3]])).toThrow(
      ShapeError,
    );
    expect(() => attention.forward(query, references, normalTensor(1, 6, 2), [])).toThrow(ShapeError);
  });
});
