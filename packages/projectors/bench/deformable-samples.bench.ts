import {
  closeEngine,
  compile,
  dispose,
  initializers,
  mul,
  Parameter,
  sum,
  type Tensor,
  valueAndGrad,
} from '@ocelli/core-tensor';
import { interleaved, report, seconds } from '../../core-tensor/bench/measure.js';
import { type Samples, samplesByProduct, samplesByReading } from '../src/deformable-attention/weighted-samples.js';

/**
 * Samples of a D-Abstractor's layer of published size for 8 images, forward and backward: by a product with the weight of
 * every cell, which is what it does, against reading single cells.
 */
const [batch, width, side, queries, points] = [64, 128, 16, 144, 4];
const samples = {
  maps: new Parameter([batch, width, side, side], { initializer: initializers.normal() }),
  locations: new Parameter([batch, queries, points, 2], { initializer: initializers.uniform(-0.1, 1.1) }),
  shares: new Parameter([batch, queries, points], { initializer: initializers.uniform() }),
};
const cotangent = new Parameter([batch, width, queries], { initializer: initializers.normal() });

function sideOf(of: (given: Samples) => Tensor): () => Promise<number> {
  const step = compile(() => valueAndGrad(() => sum(mul(of(samples), cotangent)), samples));
  return () =>
    seconds(async () => {
      const { value, grads } = await step();
      await value.item();
      dispose([value, ...Object.values(grads)]);
    });
}

try {
  const [product, reading] = await interleaved(sideOf(samplesByProduct), sideOf(samplesByReading));
  const ratio = reading!.median / product!.median;
  report('deformable-samples', ratio, '>= 2', ratio >= 2, {
    ratioOfBest: reading!.best / product!.best,
    productMilliseconds: product!.median * 1000,
    readingMilliseconds: reading!.median * 1000,
  });
} finally {
  await closeEngine();
}
