import { dispose, tensor } from '@ocelli/core-tensor';
import { againstFloor, cudaBench, floorOf } from '../../../core-tensor/bench/cuda/bench.js';
import { medians, type Side } from '../../../core-tensor/bench/cuda/timing.js';
import { fillLargeWeights } from '../../../core-tensor/bench/cuda/weights.js';
import { type DecodeState, decodePrograms } from '../../src/generation/programs.js';
import { Llama } from '../../src/index.js';
import { decoderConfig } from './sizes.js';

/** The part of the bandwidth at which the weights should be read. */
const floorTarget = 0.6;

/**
 * Tokens one at a time behind a prompt of 1,024, one row, by a decoder of Qwen2-0.5B's shape, against reading its weights
 * once a token in bfloat16 as fast as the card copies. Each token is the likeliest after the one before: it goes from step
 * to step on the card (`decode`), or is read in between as `generate` does (`decode-reading-tokens`).
 */
await cudaBench('decode', async ({ tiny, rates, compare, report }) => {
  const config = decoderConfig(tiny);
  const [context, count] = tiny ? [12, 3] : [1024, 128];
  const model = new Llama(config).initialize(0);
  model.freeze();
  fillLargeWeights(model);
  const { prefill, step } = decodePrograms(model);
  const prompt = tensor(
    Int32Array.from({ length: context }, (_, i) => (i * 7919) % config.vocabSize),
    [1, context],
  );
  const sideThat =
    ({ reads }: { readonly reads: boolean }): Side =>
    async (steps) => {
      let state = await prefill({ inputIds: prompt }, context + count);
      await state.likeliest.data();
      const start = performance.now();
      for (let i = 0; i < steps; i++) {
        const before: DecodeState = state;
        const inputIds = reads ? tensor((await before.likeliest.data()) as Int32Array) : before.likeliest;
        state = await step(inputIds, before.cache);
        dispose([before.logits, before.likeliest]);
      }
      await state.likeliest.data();
      const milliseconds = (performance.now() - start) / steps;
      dispose([state.logits, state.likeliest, ...state.cache.keys, ...state.cache.values]);
      return milliseconds;
    };

  // The head is tied to the token table, all of which is read.
  const work = { flops: 0, bytes: 2 * model.parameterCount() };
  const repetition = tiny ? { rounds: 1, steps: count } : { rounds: 7, steps: count };
  await compare({
    bench: 'decode',
    ours: sideThat({ reads: false }),
    peer: { script: new URL('./decode.py', import.meta.url), sizes: { config, context, count } },
    work,
    targets: {},
    floorTarget,
    repetition,
  });
  const [reading] = await medians([sideThat({ reads: true })], repetition);
  const floor = floorOf(work, rates);
  report({ bench: 'decode-reading-tokens', peerMode: null, ...againstFloor(reading!, floor, floorTarget) });
});
