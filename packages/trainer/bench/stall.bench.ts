import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  add,
  attention,
  closeEngine,
  crossEntropy,
  Embedding,
  FeedForward,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  splitHeads,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import { repeatBatches, train } from '../src/index.js';

/**
 * Longest time, in milliseconds, for which training keeps the main thread from anything else: tracing, compiling,
 * steps, metrics and checkpoints of a small transformer. The delay of a timer that is due all the time is what counts.
 */
const target = 30;
const size = { vocabulary: 512, width: 128, heads: 4, layers: 4, batch: 8, length: 64 } as const;

class Block extends Module {
  readonly norm1 = new LayerNorm(size.width);
  readonly query = new Linear(size.width, size.width);
  readonly key = new Linear(size.width, size.width);
  readonly value = new Linear(size.width, size.width);
  readonly out = new Linear(size.width, size.width);
  readonly norm2 = new LayerNorm(size.width);
  readonly mlp = new FeedForward(size.width, 4 * size.width, 'gelu');

  /** x [batch, length, width] → same */
  forward(x: Tensor): Tensor {
    const input = this.norm1.forward(x);
    const [q, k, v] = [this.query, this.key, this.value].map((layer) => splitHeads(layer.forward(input), size.heads));
    const attended = add(x, this.out.forward(mergeHeads(attention(q!, k!, v!, { causal: true }))));
    return add(attended, this.mlp.forward(this.norm2.forward(attended)));
  }
}

class Transformer extends Module {
  readonly tokens = new Embedding(size.vocabulary, size.width);
  readonly blocks = Array.from({ length: size.layers }, () => new Block());
  readonly norm = new LayerNorm(size.width);
  readonly head = new Linear(size.width, size.vocabulary);

  /** ids [batch, length] → [batch, length, vocabulary] */
  forward(ids: Tensor): Tensor {
    let x = this.tokens.forward(ids);
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.norm.forward(x));
  }
}

const shape = [size.batch, size.length];
const ids = Int32Array.from({ length: size.batch * size.length }, (_, i) => (i * 7919) % size.vocabulary);
const inputs = {
  ids: tensor(ids, shape),
  labels: tensor(
    ids.map((id) => (id + 1) % size.vocabulary),
    shape,
  ),
};
const model = new Transformer().initialize(0);
const directory = mkdtempSync(join(tmpdir(), 'ocelli-stall-'));

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const start = performance.now();
const steps = 60;
await train({
  model,
  directory,
  config: {
    stages: [
      { name: 'fit', trainable: ['*'], learningRate: 1e-3, steps, schedule: { name: 'cosine', warmupRatio: 0.1 } },
    ],
  },
  loss: (batch: typeof inputs) => crossEntropy(model.forward(batch.ids), batch.labels),
  batches: ({ state }) => repeatBatches([{ inputs, samples: size.batch, tokens: size.batch * size.length }], state),
  checkpoints: { every: 20 },
});
const seconds = (performance.now() - start) / 1000;
delay.disable();
await closeEngine();
rmSync(directory, { recursive: true, force: true });

// The resolution of the timer is part of every measured delay.
const longest = delay.max / 1e6 - 1;
console.log(
  JSON.stringify({
    name: 'event-loop-stall',
    ratio: Number(longest.toFixed(2)),
    target,
    holds: longest <= target,
    percentile99Milliseconds: Number((delay.percentile(99) / 1e6 - 1).toFixed(2)),
    millisecondsPerStep: Number(((seconds * 1000) / steps).toFixed(1)),
  }),
);
