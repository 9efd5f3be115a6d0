import { cudaBench } from '../../../core-tensor/bench/cuda/bench.js';
import { bfloat16Bytes, moduleStep } from '../../../core-tensor/bench/cuda/module-step.js';
import { sideOf } from '../../../core-tensor/bench/cuda/timing.js';
import { AdaptiveUnimodalManager } from '../../src/index.js';

/**
 * Forward and backward pass of an adaptive manager of the published base model: six levels of 577 visual tokens, weighed
 * per token by what the last cross-modal layer made of 50 tokens of text, for 32 pairs.
 */
await cudaBench('manager-aggregation', async ({ tiny, compare }) => {
  const [batch, tokens, others] = tiny ? [2, 9, 5] : [32, 577, 50];
  const module = new AdaptiveUnimodalManager(tiny ? { hiddenSize: 32, levels: 3 } : {}).initialize(0);
  const { hiddenSize: width, levels } = module.config;
  const shapes = [
    [batch, levels, tokens, width],
    [batch, tokens, width],
    [batch, others, width],
  ];
  const step = await moduleStep(module, shapes, ([states, previous, other]) =>
    module.forward({ levels: states!, previous: [previous!], other: other! }),
  );
  const projections = (tokens + others) * width ** 2 + 2 * tokens * width * levels;
  const multiplications = projections + 2 * tokens * others * width;
  const activations = batch * tokens * width * (levels + 1);
  await compare({
    bench: 'manager-aggregation',
    ours: sideOf(step),
    peer: {
      script: new URL('./manager_aggregation.py', import.meta.url),
      sizes: { config: module.config, batch, tokens, others },
    },
    // Levels and the last output are read by both passes, and their gradients are written.
    work: { flops: 3 * 2 * batch * multiplications, bytes: 3 * bfloat16Bytes * activations },
    targets: { eager: 1.5 },
    repetition: { rounds: 9, steps: 50 },
  });
});
