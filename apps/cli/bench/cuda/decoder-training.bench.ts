import { cudaBench } from '../../../../packages/core-tensor/bench/cuda/bench.js';
import { sideOf } from '../../../../packages/core-tensor/bench/cuda/timing.js';
import { attentionProducts, decoderConfig, layerProducts } from '../../../../packages/language/bench/cuda/sizes.js';
import { decoderTraining } from './training.js';

/** A training step of a decoder of Qwen2-0.5B's shape: forward and backward pass and AdamW, in batches of 8 × 1,024. */
await cudaBench('decoder-training', async ({ tiny, compare }) => {
  const config = decoderConfig(tiny);
  const [batch, tokens] = tiny ? [2, 16] : [8, 1024];
  const { step, parameters } = await decoderTraining(config, { batch, tokens });
  const perToken = layerProducts(config) + config.hiddenSize * config.vocabSize;
  // The backward pass has two products for each of the forward pass; a product has an addition for each multiplication.
  const flops = 3 * 2 * batch * (tokens * perToken + attentionProducts(config, tokens));
  await compare({
    bench: 'decoder-training',
    ours: sideOf(step),
    peer: { script: new URL('./decoder_training.py', import.meta.url), sizes: { config, batch, tokens } },
    work: { flops },
    targets: { eager: 1.3, compiled: 1 },
    repetition: { rounds: 7, steps: 5 },
    details: { parameters, tokensPerStep: batch * tokens },
  });
});
