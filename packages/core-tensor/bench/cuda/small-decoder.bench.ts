import { type DecoderSize, decoderSize, forwardBackward, stepFlops } from '../decoder-model.js';
import { cudaBench } from './bench.js';
import { sideOf } from './timing.js';

/**
 * A forward and backward pass of the decoder of 17M parameters that training on a processor is judged by. It has little
 * to compute, so what counts is how fast a step is put together.
 */
await cudaBench('small-decoder', async ({ tiny, compare }) => {
  const size: DecoderSize = tiny
    ? { layers: 2, width: 32, heads: 4, hidden: 48, vocabulary: 64, batch: 2, tokens: 16 }
    : decoderSize;
  // Queries see only tokens before them: half of the pairs.
  const hiddenPairs = 3 * 2 * size.layers * size.batch * size.tokens ** 2 * size.width;
  await compare({
    bench: 'small-decoder',
    ours: sideOf(forwardBackward(size)),
    peer: { script: new URL('./small_decoder.py', import.meta.url), sizes: size },
    work: { flops: stepFlops(size) - hiddenPairs },
    targets: { eager: 3 },
    repetition: { rounds: 9, steps: 50 },
  });
});
