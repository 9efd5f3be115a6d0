import { closeEngine, initializers, randomKey, type Tensor, tensor, vectorJacobianProduct } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Samples,
  samplesByProduct,
  samplesByReading,
  weightedSamples,
} from '../../src/deformable-attention/weighted-samples.js';
import { normalTensor } from '../support.js';

afterAll(closeEngine);

/** Places within a map and beyond it, and of maps whose sizes divide without rest some at the very centres of cells. */
function samples(rows: number, columns: number, width = 3): Samples {
  const places = initializers.uniform(-0.3, 1.3)([2, 5, 4, 2], randomKey(3));
  const isExact = [rows, columns].every((size) => Number.isInteger(Math.log2(size)));
  for (let place = 0; isExact && place < 4; place++) places.set([(place + 0.5) / columns, 0.5 / rows], 2 * place);
  return {
    maps: normalTensor(2, width, rows, columns),
    locations: tensor(places, [2, 5, 4, 2]),
    shares: normalTensor(2, 5, 4),
  };
}

async function valuesAndGradients(of: (samples: Samples) => Tensor, given: Samples): Promise<number[]> {
  const y = of(given);
  const leaves = [given.maps, given.locations, given.shares];
  const gradients = vectorJacobianProduct([y], [normalTensor(...y.shape)], leaves);
  const all = await Promise.all([y, ...gradients].map(async (x) => [...((await x.data()) as Float32Array)]));
  return all.flat();
}

describe('weightedSamples', () => {
  it.each([
    [4, 4],
    [3, 7],
    [1, 1],
  ])('are the same in both ways for maps of %i × %i, and so are their gradients', async (rows, columns) => {
    const given = samples(rows, columns);
    const [read, multiplied] = [
      await valuesAndGradients(samplesByReading, given),
      await valuesAndGradients(samplesByProduct, given),
    ];
    expect(multiplied.length).toBe(read.length);
    multiplied.forEach((value, index) => {
      expect(value).toBeCloseTo(read[index]!, 4);
    });
  });

  it('are those of either way for a small map and for a large one', async () => {
    for (const given of [samples(6, 8), samples(7, 7)]) {
      const expected = await valuesAndGradients(samplesByReading, given);
      (await valuesAndGradients(weightedSamples, given)).forEach((value, index) => {
        expect(value).toBeCloseTo(expected[index]!, 4);
      });
    }
  });
});
