import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, closeEngine, mean, mul, sub, type Tensor, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { BatchError, type ProgressReport, repeatBatches, type TrainingBatch, train } from '../../src/index.js';
import { Mlp, oneStage, type Points, pointBatches, squaredError, toyRun } from '../support/toy.js';

type Line = { step: number; stage: string; loss: number; learningRate: number; gradientNorm: number } & Record<
  string,
  number
>;

async function lines(directory: string): Promise<Line[]> {
  const text = await readFile(join(directory, 'metrics.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

async function values(model: Mlp): Promise<Record<string, Float32Array>> {
  const entries = Object.entries(await model.state()).map(
    ([name, { data }]) => [name, (data as Float32Array).slice()] as const,
  );
  return Object.fromEntries(entries);
}

describe('train', () => {
  afterAll(closeEngine);

  test('lowers the loss, and leaves metrics, events and a checkpoint', async () => {
    const reports: ProgressReport[] = [];
    let time = 0;
    const run = toyRun({
      model: new Mlp(16).initialize(2),
      config: oneStage({ steps: 80, learningRate: 0.05, schedule: { name: 'cosine', warmupSteps: 4 } }),
      now: () => (time += 250),
      progress: { report: (each) => reports.push(each), message: () => undefined, close: () => undefined },
    });
    const result = await train(run);
    const checkpoint = join(run.directory, 'checkpoints', 'step-000080');
    expect(result).toEqual({ status: 'completed', step: 80, checkpoint });
    const metrics = await lines(run.directory);
    expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    expect(metrics.at(-1)!.loss).toBeLessThan(0.05 * metrics[0]!.loss);
    expect(metrics.slice(0, 5).map(({ learningRate }) => learningRate)).toEqual([
      0, 0.0125, 0.025, 0.037500000000000006, 0.05,
    ]);
    expect(metrics[3]!.samplesPerSecond).toBeCloseTo(16 / metrics[3]!.stepSeconds!, 9);
    expect(metrics[3]!.tokensPerSecond).toBeCloseTo(64 / metrics[3]!.stepSeconds!, 9);
    expect(reports).toHaveLength(80);
    expect(reports[9]).toMatchObject({ stage: 'fit', step: 10, steps: 80, values: { loss: metrics[9]!.loss } });
    expect((await readdir(checkpoint)).sort()).toEqual(['model.safetensors', 'optimizer.safetensors', 'trainer.json']);
    expect((await readFile(join(run.directory, 'checkpoints', 'latest'), 'utf8')).trim()).toBe('step-000080');
    const state = JSON.parse(await readFile(join(checkpoint, 'trainer.json'), 'utf8'));
    expect(state).toMatchObject({
      step: 80,
      stage: 0,
      stageStep: 80,
      cursor: 80,
      seed: 3,
      versions: { node: process.versions.node },
    });
    expect(await readdir(join(run.directory, 'tensorboard'))).toHaveLength(1);
  });

  test('trains in each stage what the stage names, at its learning rates', async () => {
    const run = toyRun({ model: new Mlp(8).initialize(4) });
    const before = await values(run.model);
    const changed = async (stage: object) => {
      const old = await values(run.model);
      const config = { stages: [{ name: 's', trainable: ['*'], learningRate: 0.01, steps: 1, ...stage }] };
      await train({ ...run, ...toyRun({ model: run.model, config, loss: run.loss }) });
      const now = await values(run.model);
      return Object.keys(now).filter((name) => now[name]!.some((value, index) => value !== old[name]![index]));
    };
    expect(await changed({ trainable: ['down', 'up.bias'] })).toEqual(['up.bias', 'down.weight', 'down.bias']);
    expect(run.model.up.floatWeight.requiresGrad).toBe(false);
    expect(await changed({ trainable: ['*.weight'] })).toEqual(['up.weight', 'norm.weight', 'down.weight']);
    expect(await changed({ trainable: ['*'], frozen: ['norm', '*.bias'] })).toEqual(['up.weight', 'down.weight']);
    expect(await values(run.model)).not.toEqual(before);
    const [first, second] = [new Mlp(8).initialize(4), new Mlp(8).initialize(4)];
    for (const [model, learningRate] of [
      [first, 1e-3],
      [second, 3e-3],
    ] as const) {
      const config = oneStage({ steps: 1, learningRate: 1e-3, groups: [{ parameters: ['down'], learningRate }] });
      await train(toyRun({ model, config }));
    }
    const [a, b] = [await values(first), await values(second)];
    expect(a['up.weight']).toEqual(b['up.weight']);
    const start = before['down.bias']![0]!;
    expect((b['down.bias']![0]! - start) / (a['down.bias']![0]! - start)).toBeCloseTo(3, 3);
  });

  test('averages the gradients of accumulated batches', async () => {
    const halves = pointBatches(2);
    const join2 = (name: keyof Points, width: number) => {
      const parts = halves.map(({ inputs }) => (inputs[name].source as { data: Float32Array }).data);
      return tensor(Float32Array.of(...parts[0]!, ...parts[1]!), [32, width]);
    };
    const whole: TrainingBatch<Points>[] = [{ inputs: { x: join2('x', 4), y: join2('y', 1) } }];
    const runs = [
      { batches: halves, accumulation: 2 },
      { batches: whole, accumulation: 1 },
    ].map(({ batches, accumulation }) =>
      toyRun({
        model: new Mlp(8).initialize(1),
        config: oneStage({ steps: 3, accumulation, clip: 0.5 }),
        batches: ({ state }) => repeatBatches(batches, state),
      }),
    );
    for (const run of runs) await train(run);
    const [accumulated, together] = await Promise.all(runs.map(({ model }) => values(model)));
    for (const [name, expected] of Object.entries(together!)) {
      for (const [index, value] of expected.entries()) expect(accumulated![name]![index]).toBeCloseTo(value, 5);
    }
    const [a, b] = await Promise.all(runs.map(({ directory }) => lines(directory)));
    expect(a![0]!.gradientNorm).toBeGreaterThan(0.5);
    for (const [index, { loss, gradientNorm }] of b!.entries()) {
      expect(a![index]!.loss).toBeCloseTo(loss, 4);
      expect(a![index]!.gradientNorm).toBeCloseTo(gradientNorm, 4);
    }
  });

  test('draws other random numbers in every step, and the same in every run', async () => {
    const losses = async (seed: number) => {
      const model = new Mlp(8, 0.5).initialize(1);
      const config = { ...oneStage({ steps: 3, learningRate: 1e-12, accumulation: 2 }), seed };
      const run = toyRun({ model, config, batches: ({ state }) => repeatBatches(pointBatches(1), state) });
      await train(run);
      return (await lines(run.directory)).map(({ loss }) => loss);
    };
    const first = await losses(0);
    expect(new Set(first).size).toBe(3);
    expect(await losses(0)).toEqual(first);
    expect(await losses(1)).not.toEqual(first);
  });

  test('logs what the loss returns beside the loss, and evaluations', async () => {
    const run = toyRun({
      config: oneStage({ steps: 4 }),
      evaluation: { every: 3, run: async () => ({ accuracy: 0.25 }) },
    });
    const loss = squaredError(run.model);
    await train({
      ...run,
      loss: (points, key) => {
        const value = loss(points, key);
        return [value, { double: mul(value, 2), bias: mean(run.model.down.bias!) }];
      },
    });
    const metrics = await lines(run.directory);
    const steps = metrics.filter((line) => 'loss' in line);
    for (const { loss: each, double, bias } of steps) {
      expect(double).toBeCloseTo(2 * each, 5);
      expect(bias).toBeTypeOf('number');
    }
    expect(metrics.filter((line) => !('loss' in line))).toEqual(
      [3, 4].map((step) => ({ step, stage: 'fit', 'evaluation/accuracy': 0.25 })),
    );
  });

  test('keeps the last checkpoints and the best one', async () => {
    const scores = [3, 1, 2, 5, 4];
    const run = toyRun({
      config: oneStage({ steps: 10 }),
      checkpoints: { every: 2, keepLast: 2, best: { metric: 'evaluation/score', goal: 'minimum' } },
      evaluation: { every: 2, run: async () => ({ score: scores.shift()! }) },
    });
    await train(run);
    expect((await readdir(join(run.directory, 'checkpoints'))).sort()).toEqual([
      'best',
      'latest',
      'step-000004',
      'step-000008',
      'step-000010',
    ]);
    expect((await readFile(join(run.directory, 'checkpoints', 'best'), 'utf8')).trim()).toBe('step-000004');
  });

  test('says which batches are missing', async () => {
    const run = toyRun({
      batches: () => ({
        state: () => null,
        async *[Symbol.asyncIterator]() {
          yield* pointBatches(3);
        },
      }),
    });
    const failure = train(run);
    await expect(failure).rejects.toThrow(BatchError);
    await expect(failure).rejects.toThrow(/7 more batches, received the end of the data/);
  });

  test('passes on what the batches throw, at the step they throw it', async () => {
    const run = toyRun({
      checkpoints: { every: 2 },
      batches: () => ({
        state: () => null,
        async *[Symbol.asyncIterator]() {
          yield* pointBatches(2);
          throw new RangeError('sample 33 is broken');
        },
      }),
    });
    await expect(train(run)).rejects.toThrow('sample 33 is broken');
    expect(await readdir(join(run.directory, 'checkpoints'))).toContain('step-000002');
  });

  test('refuses a config that does not fit the model', async () => {
    await expect(train(toyRun({ config: oneStage({ trainable: ['projector'] }) }))).rejects.toThrow(/projector/);
    const groups = [{ parameters: ['projector'], learningRate: 1 }];
    await expect(train(toyRun({ config: oneStage({ groups }) }))).rejects.toThrow(ConfigError);
    await expect(train(toyRun({ config: { stages: [] } }))).rejects.toThrow(ConfigError);
    const run = toyRun();
    const vector = (points: Points): Tensor => sub(run.model.forward(points.x), points.y);
    await expect(train({ ...run, loss: vector })).rejects.toThrow(/a tensor of one element/);
  });
});
