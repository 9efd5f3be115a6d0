import { EngineError, foldIn, type RandomKey, randomKey, trainOnly } from '@ocelli/core-tensor';
import type { Restored } from '../checkpoints/restore.js';
import { configHash, packageVersions } from '../checkpoints/trainer-state.js';
import { NonFiniteError, TrainingEngineError } from '../errors.js';
import type { JsonValue } from '../json.js';
import { AdamW } from '../optimizers/adamw.js';
import { parameterGroups } from '../optimizers/parameter-groups.js';
import { placeParameters } from '../place-parameters.js';
import { createSchedule, type Schedule } from '../schedules/schedule.js';
import { type BatchReader, readBatches, type TrainingBatch } from './batches.js';
import type { Stage } from './config.js';
import type { TrainOptions, TrainResult } from './options.js';
import type { Run } from './run.js';
import { createTrainingStep, type StepNumbers, type TrainingStep } from './training-step.js';

/** A stage that is ready to run. */
interface PreparedStage<Inputs> {
  readonly index: number;
  readonly stage: Stage;
  readonly optimizer: AdamW;
  readonly schedule: Schedule;
  readonly takeStep: TrainingStep<Inputs>;
  readonly reader: BatchReader<Inputs>;
  /** Steps of the stage that were made before. */
  readonly done: number;
  readonly cursor: JsonValue;
}

/** A step whose numbers have been ordered but not looked at. */
interface LaunchedStep<Inputs> {
  readonly stage: Stage;
  readonly step: number;
  readonly learningRate: number;
  readonly batches: readonly TrainingBatch<Inputs>[];
  readonly numbers: Promise<StepNumbers>;
}

/** Runs the stages of one run. */
export class Trainer<Inputs> {
  /** Steps that have been launched. */
  private step: number;
  /** Steps whose numbers are known. */
  private finished: number;
  private checkpoint: string | undefined;
  private readonly steps: number;
  private readonly root: RandomKey;
  private readonly now: () => number;
  /** When the last step ended, or something else that is not part of a step. */
  private lastTime = 0;
  private metrics: Record<string, number> = {};
  private losses: number[] = [];

  constructor(
    private readonly options: TrainOptions<Inputs>,
    private readonly config: { readonly seed: number; readonly stages: readonly Stage[] },
    private readonly run: Run,
  ) {
    this.now = options.now ?? Date.now;
    this.root = randomKey(config.seed);
    this.step = run.restored?.state.step ?? 0;
    this.finished = this.step;
    this.checkpoint = run.restored?.folder;
    this.steps = config.stages.reduce((sum, { steps }) => sum + steps, 0);
  }

  /** Index of the stage to begin with. */
  get firstStage(): number {
    return this.run.restored?.state.stage ?? 0;
  }

  result(status: TrainResult['status']): TrainResult {
    return { status, step: this.step, checkpoint: this.checkpoint! };
  }

  /** @returns whether the stage has come to its end; false if the run was asked to stop. */
  async runStage(index: number, stage: Stage): Promise<boolean> {
    const restored = this.run.restored?.state.stage === index ? this.run.restored : undefined;
    if (restored?.state.stageStep === stage.steps) return true;
    try {
      const prepared = await this.prepare(index, stage, restored);
      try {
        return await this.runSteps(prepared);
      } finally {
        await prepared.reader.close();
      }
    } catch (error) {
      throw this.explain(stage, error);
    }
  }

  private async prepare(index: number, stage: Stage, restored: Restored | undefined): Promise<PreparedStage<Inputs>> {
    const { model, loss, batches } = this.options;
    trainOnly(model, stage);
    const optimizer = new AdamW(parameterGroups(model, stage), stage.optimizer);
    if (restored) optimizer.loadState(restored.optimizer);
    await placeParameters(Object.values(model.namedParameters()));
    await optimizer.prepare();
    const { accumulation, clip: maximumNorm } = stage;
    const takeStep = createTrainingStep({ model, loss, optimizer, maximumNorm, accumulation });
    const schedule = createSchedule(stage.schedule, stage);
    const done = restored?.state.stageStep ?? 0;
    const cursor = restored?.state.cursor ?? null;
    const source = await batches({ stage, state: cursor ?? undefined });
    const reader = readBatches(source, (stage.steps - done) * accumulation);
    return { index, stage, optimizer, schedule, takeStep, reader, done, cursor };
  }

  private async runSteps(prepared: PreparedStage<Inputs>): Promise<boolean> {
    const { stage, schedule, takeStep, reader } = prepared;
    let { done, cursor } = prepared;
    let launched: LaunchedStep<Inputs> | undefined;
    this.lastTime = this.now();
    while (done < stage.steps && !this.run.interruption.requested) {
      const taken = await reader.take(stage.accumulation);
      const learningRate = schedule(done);
      const { numbers } = await takeStep(taken.batches, { learningRate, key: foldIn(this.root, this.step) });
      cursor = taken.cursor;
      done++;
      this.step++;
      // The numbers of the step before are looked at while the engine computes this one.
      await this.finish(launched);
      launched = { stage, step: this.step, learningRate, batches: taken.batches, numbers };

      const isLast = done === stage.steps;
      const evaluates = this.isDue(this.options.evaluation?.every, isLast);
      const saves = this.isDue(this.options.checkpoints?.every, isLast);
      if (!evaluates && !saves) continue;
      await this.finish(launched);
      launched = undefined;
      if (evaluates) await this.evaluate(stage);
      if (saves) await this.save(prepared, done, cursor);
      this.lastTime = this.now();
    }
    await this.finish(launched);
    const isSaved = launched === undefined && this.checkpoint !== undefined;
    if (!isSaved) await this.save(prepared, done, cursor);
    return done === stage.steps;
  }

  private isDue(every: number | undefined, isLast: boolean): boolean {
    return isLast || (every !== undefined && this.step % every === 0);
  }

  /** Checks and logs the numbers of a step once they are there. */
  private async finish(launched: LaunchedStep<Inputs> | undefined): Promise<void> {
    if (!launched) return;
    const { stage, step, learningRate, batches } = launched;
    const { loss, gradientNorm, metrics } = await launched.numbers;
    this.finished = step;
    requireFinite('loss', loss, launched);
    requireFinite('gradient norm', gradientNorm, launched);
    const time = this.now();
    const stepSeconds = Math.max(0, time - this.lastTime) / 1000;
    this.lastTime = time;
    const values = { loss, learningRate, gradientNorm, ...metrics, ...throughput(batches, stepSeconds), stepSeconds };
    this.losses.push(loss);
    this.metrics = { ...this.metrics, ...values };
    await this.run.log({ step, stage: stage.name, values });
    this.options.progress?.report({ stage: stage.name, step, steps: this.steps, values });
  }

  private async evaluate(stage: Stage): Promise<void> {
    const { evaluation } = this.options;
    if (!evaluation) return;
    const results = Object.entries(await evaluation.run());
    const values = Object.fromEntries(results.map(([name, value]) => [`evaluation/${name}`, value]));
    this.metrics = { ...this.metrics, ...values };
    await this.run.log({ step: this.step, stage: stage.name, values });
  }

  private async save({ index, optimizer }: PreparedStage<Inputs>, stageStep: number, cursor: JsonValue): Promise<void> {
    const { model, identity = null } = this.options;
    const config = this.config as unknown as JsonValue;
    const meanLoss = this.losses.reduce((sum, loss) => sum + loss, 0) / this.losses.length;
    const metrics = Object.entries({ ...this.metrics, loss: meanLoss }).filter(([, value]) => Number.isFinite(value));
    const state = {
      step: this.step,
      stage: index,
      stageStep,
      cursor,
      seed: this.config.seed,
      config,
      configHash: configHash(config),
      identity,
      metrics: Object.fromEntries(metrics),
      versions: packageVersions(),
    };
    this.checkpoint = await this.run.checkpoints.save({ state, model, optimizer });
    this.losses = [];
    this.metrics = {};
  }

  /** An engine that failed cannot go on; the last checkpoint can. */
  private explain(stage: Stage, error: unknown): unknown {
    if (!(error instanceof EngineError)) return error;
    const step = this.finished + 1;
    return new TrainingEngineError({
      operation: `train step ${step} (${stage.name})`,
      expected: 'the engine to compute it',
      received: error.message,
      remedy: this.checkpoint
        ? `Run again with --resume to go on from ${this.checkpoint}.`
        : 'Start again: no checkpoint had been saved; save them more often.',
      step,
      cause: error,
    });
  }
}

function requireFinite(name: string, value: number, { stage, step, batches }: LaunchedStep<unknown>): void {
  if (Number.isFinite(value)) return;
  const sampleIds = batches.flatMap(({ sampleIds: ids = [] }) => ids);
  throw new NonFiniteError({
    operation: `train step ${step} (${stage.name})`,
    expected: `a finite ${name}`,
    received: `${value}${sampleIds.length > 0 ? ` for the samples ${sampleIds.join(', ')}` : ''}`,
    remedy:
      'Lower the learning rate, clip the gradients, or look at these samples; then resume from the last checkpoint.',
    step,
    value,
    sampleIds,
  });
}

/** Samples and tokens per second, where the batches count them. */
function throughput(batches: readonly TrainingBatch<unknown>[], seconds: number): Record<string, number> {
  const total = (count: 'samples' | 'tokens') => batches.reduce((sum, batch) => sum + (batch[count] ?? Number.NaN), 0);
  const rates = { samplesPerSecond: total('samples') / seconds, tokensPerSecond: total('tokens') / seconds };
  return Object.fromEntries(Object.entries(rates).filter(([, rate]) => Number.isFinite(rate)));
}
