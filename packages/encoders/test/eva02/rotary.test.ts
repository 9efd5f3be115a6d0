import { ConfigError, closeEngine, initializers, randomKey, sum, tensor, valueAndGrad } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { rotaryGrid, rotatePairs } from '../../src/index.js';

afterAll(closeEngine);

const random = (...shape: number[]) => tensor(initializers.normal()(shape, randomKey(shape.join())), shape);

describe('rotaryGrid', () => {
  it('turns the first half of the channels with the row and the second with the column, in steps of the range', async () => {
    const { cos, sin } = rotaryGrid(8, [2, 4], { sequenceLength: 16 });
    expect(cos.shape).toEqual([8, 8]);
    const [c, s] = [await cos.data(), await sin.data()];
    for (let row = 0; row < 2; row++) {
      for (let column = 0; column < 4; column++) {
        for (let channel = 0; channel < 8; channel++) {
          const position = channel < 4 ? (row / 2) * 16 : (column / 4) * 16;
          const angle = position * 10000 ** -((2 * (Math.floor(channel / 2) % 2)) / 4);
          expect(c[(row * 4 + column) * 8 + channel]).toBeCloseTo(Math.cos(angle), 5);
          expect(s[(row * 4 + column) * 8 + channel]).toBeCloseTo(Math.sin(angle), 5);
        }
      }
    }
  });

  it('refuses heads without whole pairs for rows and columns', () => {
    expect(() => rotaryGrid(6, [2, 2])).toThrow(ConfigError);
    expect(() => rotaryGrid(0, [2, 2])).toThrow('multiple of 4');
  });
});

describe('rotatePairs', () => {
  it('rotates neighbouring channels and keeps their length', async () => {
    const x = random(1, 2, 6, 4);
    const tables = rotaryGrid(4, [2, 3]);
    const rotated = await rotatePairs(x, tables).data();
    const [values, cos, sin] = [await x.data(), await tables.cos.data(), await tables.sin.data()];
    for (let pair = 0; pair < values.length; pair += 2) {
      const [a, b] = [Number(values[pair]), Number(values[pair + 1])];
      const [c, s] = [Number(cos[pair % 24]), Number(sin[pair % 24])];
      expect(rotated[pair]).toBeCloseTo(a * c - b * s, 5);
      expect(rotated[pair + 1]).toBeCloseTo(b * c + a * s, 5);
    }
  });

  it('makes scores depend on the distance of two cells only', async () => {
    // The same vectors everywhere: a score is that of the offset between rows and columns.
    const side = 4;
    const repeated = (key: string) => {
      const one = initializers.normal()([8], randomKey(key));
      return tensor(
        Float32Array.from({ length: side * side * 8 }, (_, index) => one[index % 8]!),
        [1, 1, side * side, 8],
      );
    };
    const tables = rotaryGrid(8, [side, side], { sequenceLength: side });
    const q = await rotatePairs(repeated('q'), tables).data();
    const k = await rotatePairs(repeated('k'), tables).data();
    const score = (i: number, j: number) =>
      Array.from({ length: 8 }, (_, channel) => Number(q[i * 8 + channel]) * Number(k[j * 8 + channel])).reduce(
        (total, product) => total + product,
      );
    const cell = (row: number, column: number) => row * side + column;
    expect(score(cell(0, 0), cell(1, 2))).toBeCloseTo(score(cell(2, 1), cell(3, 3)), 4);
    expect(Math.abs(score(cell(0, 0), cell(1, 2)) - score(cell(0, 0), cell(2, 1)))).toBeGreaterThan(1e-3);
  });

  it('turns gradients back', async () => {
    const x = random(1, 1, 4, 4);
    const tables = rotaryGrid(4, [2, 2]);
    const { grads } = valueAndGrad(() => sum(rotatePairs(x, tables)), { x });
    const gradient = await grads.x!.data();
    const [cos, sin] = [await tables.cos.data(), await tables.sin.data()];
    for (let pair = 0; pair < 16; pair += 2) {
      expect(gradient[pair]).toBeCloseTo(Number(cos[pair]) + Number(sin[pair]), 5);
      expect(gradient[pair + 1]).toBeCloseTo(Number(cos[pair]) - Number(sin[pair]), 5);
    }
  });
});
