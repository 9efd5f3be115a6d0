import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine, currentEngine, mean, sqrt, sub, tensor } from '@ocelli/core-tensor';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import {
  NonFiniteError,
  RunFileError,
  repeatBatches,
  TrainingEngineError,
  type TrainOptions,
  train,
} from '../../src/index.js';
import { oneStage, type Points, pointBatches, toyRun } from '../support/toy.js';

/** Paths that cannot be written to. */
const disk = vi.hoisted(() => ({ isFull: (_path: string): boolean => false }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const actual = await importOriginal<typeof import('node:fs/promises')>();
  const refuse = (path: string) => {
    if (disk.isFull(path)) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  return {
    ...actual,
    async open(path: string, flags: string) {
      const handle = await actual.open(path, flags);
      return new Proxy(handle, {
        get(target, property) {
          const value = Reflect.get(target, property, target) as unknown;
          if (typeof value !== 'function') return value;
          return async (...args: unknown[]) => {
            if (property === 'write' || property === 'appendFile') refuse(path);
            return (value as (...each: unknown[]) => unknown).apply(target, args);
          };
        },
      });
    },
  };
});

async function failure(run: TrainOptions<Points>): Promise<unknown> {
  return train(run).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a run that fails', () => {
  afterEach(() => {
    disk.isFull = () => false;
  });
  afterAll(closeEngine);

  test('over a loss that is not finite names step and samples, and keeps the checkpoint from before', async () => {
    const bad = { ...pointBatches(1)[0]!, sampleIds: ['good', 'bad'] };
    const batches = pointBatches(4);
    batches[3] = {
      ...bad,
      inputs: { ...bad.inputs, y: tensor(new Float32Array(16).fill(Number.POSITIVE_INFINITY), [16, 1]) },
    };
    const run = toyRun({ batches: ({ state }) => repeatBatches(batches, state), checkpoints: { every: 2 } });
    const error = (await failure(run)) as NonFiniteError;
    expect(error).toBeInstanceOf(NonFiniteError);
    expect([error.step, error.value, error.sampleIds]).toEqual([4, Number.POSITIVE_INFINITY, ['good', 'bad']]);
    expect(error.message).toMatch(
      /train step 4 \(fit\): expected a finite loss, received Infinity for the samples good, bad/,
    );
    const folder = join(run.directory, 'checkpoints');
    expect((await readdir(folder)).sort()).toEqual(['latest', 'step-000002']);
    expect((await readFile(join(run.directory, 'metrics.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(3);
    const repaired = { ...run, resume: true, batches: toyRun().batches };
    expect(await train(repaired)).toMatchObject({ status: 'completed', step: 10 });
  });

  test('over a gradient that is not finite says so', async () => {
    const run = toyRun();
    // √0 is finite, its derivative is not.
    const loss: typeof run.loss = () => mean(sqrt(sub(run.model.down.bias!, run.model.down.bias!)));
    const error = (await failure({ ...run, loss })) as NonFiniteError;
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/expected a finite gradient norm, received NaN/);
  });

  test.each(['model.safetensors', 'optimizer.safetensors', 'trainer.json', 'latest'])(
    'for want of space for %s leaves the checkpoint before intact',
    async (name) => {
      const run = toyRun({ checkpoints: { every: 2 }, config: oneStage({ steps: 4 }) });
      let pointers = 0;
      // The second checkpoint does not fit any more.
      const isSecond = (path: string) => (name === 'latest' ? pointers++ > 0 : path.includes('.step-000004.'));
      disk.isFull = (path) => path.includes(`.${name}.`) && isSecond(path);
      const error = (await failure(run)) as RunFileError;
      disk.isFull = () => false;
      expect(error).toBeInstanceOf(RunFileError);
      const folder = join(run.directory, 'checkpoints');
      expect(error.file).toBe(join(folder, 'step-000004'));
      expect(error.message).toMatch(
        /ENOSPC.*Make room on the volume, then resume from step-00000[24], which is intact/,
      );
      const left = (await readdir(folder)).filter((each) => each.startsWith('.'));
      expect(left).toEqual([]);
      const whole = toyRun({ config: oneStage({ steps: 4 }) });
      await train(whole);
      expect(await train({ ...run, resume: true })).toMatchObject({ status: 'completed', step: 4 });
      const weights = (directory: string) =>
        readFile(join(directory, 'checkpoints', 'step-000004', 'model.safetensors'));
      expect((await weights(run.directory)).equals(await weights(whole.directory))).toBe(true);
    },
  );

  test('for want of space for metrics names the file', async () => {
    const run = toyRun();
    disk.isFull = (path) => path.endsWith('metrics.jsonl');
    const error = (await failure(run)) as RunFileError;
    expect(error).toBeInstanceOf(RunFileError);
    expect(error.file).toBe(join(run.directory, 'metrics.jsonl'));
  });

  test('with its engine says how to go on', async () => {
    const kill = async () => {
      const { worker } = (await currentEngine()) as unknown as { worker: { terminate(): Promise<unknown> } };
      await worker.terminate();
    };
    const write = async ({ step }: { step: number }) => {
      if (step === 5) void kill();
    };
    const run = toyRun({
      checkpoints: { every: 2 },
      config: oneStage({ steps: 40 }),
      metrics: [{ write, close: async () => undefined }],
    });
    const error = (await failure(run)) as TrainingEngineError;
    expect(error).toBeInstanceOf(TrainingEngineError);
    expect(error.step).toBeGreaterThan(5);
    expect(error.message).toMatch(/its worker thread to run.*Run again with --resume to go on from .*step-0000\d\d/);
    const again = toyRun({ checkpoints: { every: 2 }, config: run.config, directory: run.directory, resume: true });
    expect(await train(again)).toMatchObject({ status: 'completed', step: 40 });
    const whole = toyRun({ config: run.config });
    await train(whole);
    expect(await again.model.up.floatWeight.data()).toEqual(await whole.model.up.floatWeight.data());
  });
});
