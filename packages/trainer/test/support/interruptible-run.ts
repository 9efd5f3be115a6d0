import { closeEngine, Linear, mean, square, sub, tensor } from '@ocelli/core-tensor';
import { repeatBatches, train } from '../../src/index.js';

/**
 * A process that trains until it is interrupted. Arguments: folder, `resume` or `start`, and the step at which the
 * batches never come (0 for none). Prints `step N` for each step.
 */
const [directory, mode, stuckAt] = process.argv.slice(2);
const model = new Linear(2, 1).initialize(0);
const inputs = {
  x: tensor([
    [1, 2],
    [3, 4],
  ]),
  y: tensor([[1], [2]]),
};
const result = await train({
  model,
  directory: directory!,
  resume: mode === 'resume',
  config: { stages: [{ name: 'fit', trainable: ['*'], learningRate: 1e-3, steps: 40 }] },
  loss: (batch: typeof inputs) => mean(square(sub(model.forward(batch.x), batch.y))),
  batches: ({ state }) => {
    const endless = repeatBatches([{ inputs }], state);
    return {
      state: () => endless.state(),
      async *[Symbol.asyncIterator]() {
        let step = Number(endless.state());
        for await (const batch of endless) {
          step++;
          if (step === Number(stuckAt)) await new Promise((resolve) => setTimeout(resolve, 60_000));
          await new Promise((resolve) => setTimeout(resolve, 20));
          yield batch;
        }
      },
    };
  },
  metrics: [
    {
      write: async ({ step }) => {
        process.stdout.write(`step ${step}\n`);
      },
      close: async () => undefined,
    },
  ],
});
process.stdout.write(`${result.status} ${result.step}\n`);
await closeEngine();
process.exitCode = result.status === 'interrupted' ? 130 : 0;
