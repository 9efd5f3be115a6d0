import { cudaBench } from '../../../core-tensor/bench/cuda/bench.js';
import { bfloat16Bytes, moduleStep } from '../../../core-tensor/bench/cuda/module-step.js';
import { sideOf } from '../../../core-tensor/bench/cuda/timing.js';
import { CAbstractor } from '../../src/index.js';
import { abstractorProducts } from './products.js';

/** Forward and backward pass of a C-Abstractor of published size, for 8 images of 24 × 24 features. */
await cudaBench('c-abstractor', async ({ tiny, compare }) => {
  const [batch, features] = tiny ? [2, 16] : [8, 576];
  const sizes = tiny
    ? { visionWidth: 32, languageWidth: 48, hiddenSize: 32, outputTokens: 4, depth: 2 }
    : { visionWidth: 1024, languageWidth: 896 };
  const module = new CAbstractor({ ...sizes, inputTokens: features }).initialize(0);
  const { config } = module;
  const step = await moduleStep(module, [[batch, features, config.visionWidth]], ([x]) => module.forward(x!));
  await compare({
    bench: 'c-abstractor',
    ours: sideOf(step),
    peer: { script: new URL('./c_abstractor_step.py', import.meta.url), sizes: { config, batch, features } },
    // Both passes read the weights, and the backward pass writes gradients.
    work: {
      flops: 3 * 2 * batch * abstractorProducts(config, features),
      bytes: 3 * bfloat16Bytes * module.parameterCount(),
    },
    targets: { eager: 1.5 },
    repetition: { rounds: 9, steps: 20 },
  });
});
