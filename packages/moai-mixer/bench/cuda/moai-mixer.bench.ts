import { tensor } from '@ocelli/core-tensor';
import { cudaBench } from '../../../core-tensor/bench/cuda/bench.js';
import { bfloat16Bytes, moduleStep } from '../../../core-tensor/bench/cuda/module-step.js';
import { sideOf } from '../../../core-tensor/bench/cuda/timing.js';
import { MoaiMixer } from '../../src/index.js';

/**
 * Forward and backward pass of a MoAI-Mixer of published size: 2 sequences of 1,225 places of an image and 311 of text,
 * and 64 auxiliary tokens.
 */
await cudaBench('moai-mixer', async ({ tiny, compare }) => {
  const [batch, tokens, places, auxiliary] = tiny ? [2, 12, 8, 4] : [2, 1536, 1225, 64];
  const module = new MoaiMixer(tiny ? { hiddenSize: 32, numHeads: 4, rank: 4 } : {}).initialize(0);
  const { hiddenSize: width, rank } = module.config;
  const mask = (isImage: boolean) =>
    tensor(
      Uint8Array.from({ length: batch * tokens }, (_, i) => Number(i % tokens < places === isImage)),
      [batch, tokens],
      'bool',
    );
  const masks = { imageMask: mask(true), languageMask: mask(false) };
  const routing = { kind: 'gates', precision: 'bfloat16' } as const;
  const shapes = [
    [batch, tokens, width],
    [batch, auxiliary, width],
  ];
  const step = await moduleStep(module, shapes, ([x, aux]) => module.forward(x!, { aux: aux!, ...masks, routing }));

  // Of three experts each for image and text, queries and outputs are of the own places; so are keys and values of one
  // expert, those of another are the other places', and those of the third the auxiliary tokens.
  const project = (positions: number) => 2 * positions * width * rank;
  const text = tokens - places;
  const expert = (queries: number, keys: number) => 2 * (project(queries) + project(keys)) + 2 * queries * keys * width;
  const experts = (own: number, other: number) => expert(own, auxiliary) + expert(own, other) + expert(own, own);
  const multiplications = experts(places, text) + experts(text, places) + 3 * tokens * width;
  await compare({
    bench: 'moai-mixer',
    ours: sideOf(step),
    peer: {
      script: new URL('./moai_mixer.py', import.meta.url),
      sizes: { config: module.config, batch, tokens, places, auxiliary },
    },
    // Tokens are read, their gradients read and written, and the result is written.
    work: { flops: 3 * 2 * batch * multiplications, bytes: 4 * bfloat16Bytes * batch * tokens * width },
    targets: { eager: 1.5 },
    repetition: { rounds: 9, steps: 20 },
  });
});
