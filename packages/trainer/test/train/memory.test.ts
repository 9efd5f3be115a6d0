import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { repeatBatches, train } from '../../src/index.js';
import { Mlp, oneStage, pointBatches, squaredError, toyRun } from '../support/toy.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of this process: heap, typed arrays, and everything else. The engine's thread is part of it. */
function memory(): { resident: number; external: number } {
  const { rss, external } = process.memoryUsage();
  return { resident: rss, external };
}

describe('a long run', () => {
  afterAll(closeEngine);

  test('does not grow', async () => {
    const model = new Mlp(256, 0.1).initialize(1);
    const batches = pointBatches(8, 64);
    const samples = new Map<number, ReturnType<typeof memory>>();
    const write = async ({ step }: { step: number }) => {
      // What this thread has not collected yet is no growth.
      if (step % 40 === 0) collectGarbage();
      if (step % 200 === 0) samples.set(step, memory());
    };
    const run = toyRun({
      model,
      loss: squaredError(model),
      batches: ({ state }) => repeatBatches(batches, state),
      config: oneStage({ steps: 1000, accumulation: 2, learningRate: 1e-3 }),
      checkpoints: { every: 250 },
      metrics: [{ write, close: async () => undefined }],
    });
    await train(run);
    const [start, end] = [samples.get(200)!, samples.get(1000)!];
    expect((end.external - start.external) / 2 ** 20).toBeLessThan(5);
    // Heaps that are still settling have been seen to take 12 MB on a busy machine.
    expect((end.resident - start.resident) / 2 ** 20).toBeLessThan(24);
  });
});
