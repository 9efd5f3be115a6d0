import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { ResumeError, type TrainOptions, train } from '../../src/index.js';
import { Mlp, oneStage, type Points, toyRun } from '../support/toy.js';

async function weights(model: Mlp): Promise<Record<string, number[]>> {
  const state = await model.state();
  const bits = Object.entries(state).map(([name, { data }]) => [
    name,
    [...new Uint32Array((data as Float32Array).slice().buffer)],
  ]);
  return Object.fromEntries(bits) as Record<string, number[]>;
}

/** Metrics of a run without what depends on the time. */
async function metrics(directory: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const record = JSON.parse(line) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(record).filter(([name]) => !/Second/.test(name)));
  });
}

/** Stops a run after so many steps. */
function stopAfter(steps: number): Pick<TrainOptions<Points>, 'signal' | 'metrics'> {
  const controller = new AbortController();
  const write = async ({ step }: { step: number }) => {
    // The numbers of a step are known one step later.
    if (step === steps - 1) controller.abort();
  };
  return { signal: controller.signal, metrics: [{ write, close: async () => undefined }] };
}

const settings = oneStage({
  schedule: { name: 'cosine', warmupSteps: 2 },
  weightDecay: 0.1,
  accumulation: 2,
  groups: [{ parameters: ['down'], learningRateMultiplier: 0.5 }],
});

describe('a resumed run', () => {
  afterAll(closeEngine);

  test('ends with the same bytes and metrics as one that was never stopped', async () => {
    const whole = toyRun({ config: settings });
    expect(await train(whole)).toMatchObject({ status: 'completed', step: 10 });

    const first = toyRun({ config: settings, ...stopAfter(5) });
    expect(await train(first)).toMatchObject({ status: 'interrupted', step: 5 });
    expect(await weights(first.model)).not.toEqual(await weights(whole.model));
    const second = toyRun({
      config: settings,
      directory: first.directory,
      model: new Mlp(8, 0.1).initialize(99),
      resume: true,
    });
    expect(await train(second)).toMatchObject({ status: 'completed', step: 10 });

    expect(await weights(second.model)).toEqual(await weights(whole.model));
    expect(await metrics(second.directory)).toEqual(await metrics(whole.directory));
    for (const file of ['model.safetensors', 'optimizer.safetensors']) {
      const path = join('checkpoints', 'step-000010', file);
      expect((await readFile(join(second.directory, path))).equals(await readFile(join(whole.directory, path)))).toBe(
        true,
      );
    }
  });

  test('goes on in a later stage, and forgets metrics of steps that are made again', async () => {
    const config = {
      seed: 5,
      stages: [
        { name: 'head', trainable: ['down'], learningRate: 0.01, steps: 3 },
        { name: 'all', trainable: ['*'], learningRate: 0.01, steps: 4, schedule: { name: 'linear' as const } },
      ],
    };
    const whole = toyRun({ config });
    await train(whole);
    const first = toyRun({ config, ...stopAfter(6), checkpoints: { every: 4 } });
    expect(await train(first)).toMatchObject({ status: 'interrupted', step: 6 });
    const again = toyRun({ config, directory: first.directory, model: new Mlp(8, 0.1), resume: 'step-000004' });
    await train(again);
    expect(await weights(again.model)).toEqual(await weights(whole.model));
    expect(await metrics(again.directory)).toEqual(await metrics(whole.directory));
  });

  test('of a finished run has nothing to do', async () => {
    const run = toyRun();
    const { checkpoint } = await train(run);
    expect(await train({ ...run, resume: true })).toEqual({ status: 'completed', step: 10, checkpoint });
  });

  test('may be stopped before its first step', async () => {
    const run = toyRun({ signal: AbortSignal.abort() });
    expect(await train(run)).toMatchObject({ status: 'interrupted', step: 0 });
    const { signal: _, ...again } = run;
    expect(await train({ ...again, resume: true })).toMatchObject({ status: 'completed', step: 10 });
  });
});

describe('resuming', () => {
  afterAll(closeEngine);

  async function stopped(): Promise<TrainOptions<Points>> {
    const run = toyRun({
      checkpoints: { every: 3 },
      identity: { model: { width: 8 } },
      config: oneStage({ steps: 6 }),
    });
    await train(run);
    return { ...run, resume: true };
  }

  async function failure(run: TrainOptions<Points>): Promise<ResumeError> {
    const error = await train(run).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ResumeError);
    return error as ResumeError;
  }

  test('names the setting that differs', async () => {
    const run = await stopped();
    const other = await failure({ ...run, config: oneStage({ steps: 6, learningRate: 0.03 }) });
    expect(other.key).toBe('stages.0.learningRate');
    expect(other.message).toMatch(/stages\.0\.learningRate = 0\.02, received 0\.03/);
    expect((await failure({ ...run, config: oneStage({ steps: 7 }) })).key).toBe('stages.0.steps');
    expect((await failure({ ...run, config: { ...oneStage({ steps: 6 }), seed: 4 } })).key).toBe('seed');
    expect((await failure({ ...run, identity: { model: { width: 9 } } })).key).toBe('identity.model.width');
  });

  test('names the parameter that differs', async () => {
    const run = await stopped();
    const error = await failure({
      ...run,
      ...toyRun({ model: new Mlp(9) }),
      directory: run.directory,
      resume: true,
      config: run.config,
      identity: run.identity!,
    });
    expect(error.key).toBe('model.up.weight');
    expect(error.message).toMatch(/float32 \[8, 4\].*float32 \[9, 4\]/);
  });

  test.each([
    ['trainer.json', (text: Buffer) => text.subarray(0, text.length / 2)],
    ['trainer.json', () => undefined],
    ['trainer.json', (text: Buffer) => Buffer.from(text.toString().replace('"stage":', '"stages":'))],
    ['model.safetensors', (bytes: Buffer) => bytes.subarray(0, bytes.length - 8)],
    ['model.safetensors', () => undefined],
    ['model.safetensors', (bytes: Buffer) => bytes.fill(0x3f, bytes.length - 4)],
    ['optimizer.safetensors', (bytes: Buffer) => bytes.subarray(0, 4)],
    ['optimizer.safetensors', (bytes: Buffer) => bytes.fill(0x3f, bytes.length - 4)],
  ])('refuses a damaged %s and lists other checkpoints', async (name, damage) => {
    const run = await stopped();
    const folder = join(run.directory, 'checkpoints', 'step-000006');
    const file = join(folder, name);
    const damaged = damage(await readFile(file));
    if (damaged) await writeFile(file, damaged);
    else await rm(file);
    const error = await failure(run);
    expect(error.file.startsWith(folder)).toBe(true);
    expect(error.remedy).toBe(`Delete ${folder}, and resume from one of these by name: step-000003.`);
    expect(await train({ ...run, resume: 'step-000003' })).toMatchObject({ status: 'completed', step: 6 });
  });

  test('refuses a checkpoint that is not there', async () => {
    const run = await stopped();
    expect((await failure({ ...run, resume: 'step-000004' })).message).toMatch(/by name: step-000003, step-000006/);
    await rm(join(run.directory, 'checkpoints', 'step-000006'), { recursive: true });
    expect((await failure(run)).message).toMatch(/latest.*by name: step-000003/);
    expect((await failure({ ...toyRun(), resume: true })).message).toMatch(/Start the run without resuming/);
  });

  test('is needed where checkpoints are already there', async () => {
    const { resume: _, ...run } = await stopped();
    expect((await failure(run)).message).toMatch(/Resume the run, or choose another folder/);
  });
});
