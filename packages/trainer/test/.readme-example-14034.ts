import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine, gelu, Linear, meanSquaredError, Module, type Tensor, tensor } from '@ocelli/core-tensor';
import { repeatBatches, train } from '@ocelli/trainer';

class Network extends Module {
  readonly up = new Linear(2, 16);
  readonly down = new Linear(16, 1);

  /** x [batch, 2] → [batch, 1] */
  forward(x: Tensor): Tensor {
    return this.down.forward(gelu(this.up.forward(x)));
  }
}

const points = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const inputs = { x: tensor(points), y: tensor(points.map(([a, b]) => [a! - 2 * b!])) };
const losses: number[] = [];

const model = new Network().initialize(0);
const directory = await mkdtemp(join(tmpdir(), 'run-'));
const result = await train({
  model,
  directory,
  config: {
    seed: 0,
    stages: [
      {
        name: 'fit',
        trainable: ['*'],
        learningRate: 0.05,
        steps: 30,
        schedule: { name: 'cosine', warmupSteps: 3 },
        weightDecay: 0.01,
      },
    ],
  },
  loss: (batch: typeof inputs) => meanSquaredError(model.forward(batch.x), batch.y),
  batches: ({ state }) => repeatBatches([{ inputs, samples: 64 }], state),
  metrics: [
    {
      write: async ({ values }) => {
        losses.push(values.loss!);
      },
      close: async () => undefined,
    },
  ],
});

console.log(`${result.status} after ${result.step} steps`);
console.log(`loss ${losses[0]!.toFixed(2)} → ${losses.at(-1)!.toFixed(2)}`);
await closeEngine();
await rm(directory, { recursive: true });

export {};
