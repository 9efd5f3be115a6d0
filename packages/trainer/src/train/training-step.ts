import {
  add,
  cast,
  compile,
  compileUpdates,
  concat,
  dispose,
  foldIn,
  keyWords,
  type Module,
  type RandomKey,
  reshape,
  type StreamKey,
  streamKey,
  type Tensor,
  tensor,
  type Updates,
  valueAndGrad,
  withTrainingKey,
} from '@ocelli/core-tensor';
import type { AdamW } from '../optimizers/adamw.js';
import { gradientClipper } from '../optimizers/gradient-clipper.js';
import type { TrainingBatch } from './batches.js';

/**
 * The loss of a batch: a scalar, or a scalar and further scalars to log by name. It is traced, so it may use tensors
 * only, and is compiled once per shapes of the inputs.
 *
 * @param key of the step's random numbers, for dropout; derive one per use with `foldStream`. It is also in force as
 *   `trainingKey()`, for adapters.
 */
export type Loss<Inputs> = (
  inputs: Inputs,
  key: StreamKey,
) => Tensor | readonly [loss: Tensor, metrics: Readonly<Record<string, Tensor>>];

/** Numbers that a step computed: the loss and what was logged beside it, averaged over the step's batches. */
export interface StepNumbers {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface StepOptions {
  readonly learningRate: number;
  readonly key: RandomKey;
}

/**
 * Makes one optimizer step. Resolves when the engine has all its orders, so that the next step can be prepared
 * meanwhile; `numbers` resolves when they are carried out.
 */
export type TrainingStep<Inputs> = (
  batches: readonly TrainingBatch<Inputs>[],
  options: StepOptions,
) => Promise<{ readonly numbers: Promise<StepNumbers> }>;

export interface TrainingStepOptions<Inputs> {
  readonly model: Module;
  readonly loss: Loss<Inputs>;
  readonly optimizer: AdamW;
  readonly maximumNorm: number | null;
  /** Batches per step. Their gradients and losses are averaged, each batch counting the same, as in transformers 4.45. */
  readonly accumulation: number;
}

/** Prepares the steps of a stage: forward and backward pass, accumulation, clipping and update. */
export function createTrainingStep<Inputs>({
  model,
  loss,
  optimizer,
  maximumNorm,
  accumulation,
}: TrainingStepOptions<Inputs>): TrainingStep<Inputs> {
  const parameters = model.trainableParameters();
  const forwardBackward = compile((inputs: Inputs, root: Tensor) => {
    const key = streamKey(root);
    // Adapters drop by the key in force; what is passed one takes that.
    const { value, grads, aux = {} } = withTrainingKey(key, () => valueAndGrad(() => loss(inputs, key), parameters));
    const scalars = [value, ...Object.values(aux)].map((scalar) => reshape(cast(scalar, 'float32'), [1]));
    return { names: Object.keys(aux), numbers: concat(scalars, 0), grads };
  });
  const accumulate = compileUpdates(([sum, gradient]) => [add(sum!, gradient!)]);
  const clip = gradientClipper({ maximumNorm, factor: 1 / accumulation });

  return async (batches, { learningRate, key }) => {
    let total: Readonly<Record<string, Tensor>> | undefined;
    let names: readonly string[] = [];
    const reports: Tensor[] = [];
    for (const [index, { inputs }] of batches.entries()) {
      const result = await forwardBackward(inputs, tensor(keyWords(foldIn(key, index))));
      names = result.names;
      reports.push(result.numbers);
      if (total) await addGradients(accumulate, total, result.grads);
      total ??= result.grads;
    }
    const { norm, scale } = await clip(total!);
    const { done } = await optimizer.update(total!, { learningRate, gradientScale: scale });
    const numbers = readNumbers(names, reports, norm, done);
    // Whoever waits for the numbers sees the failure; until then it must not count as unhandled.
    numbers.catch(() => undefined);
    return { numbers };
  };
}

async function addGradients(
  accumulate: Updates,
  total: Readonly<Record<string, Tensor>>,
  grads: Readonly<Record<string, Tensor>>,
): Promise<void> {
  await accumulate(
    Object.entries(total).map(([name, sum]) => ({
      inputs: [sum, grads[name]!],
      into: [sum],
      consume: [grads[name]!],
    })),
  );
}

async function readNumbers(
  names: readonly string[],
  reports: readonly Tensor[],
  norm: Tensor,
  updated: Promise<void>,
): Promise<StepNumbers> {
  const [gradientNorm, ...values] = await Promise.all([
    norm.item(),
    ...reports.map((report) => report.data()),
    updated,
  ]);
  dispose(reports);
  const mean = (index: number) =>
    reports.reduce((sum, _, batch) => sum + Number((values[batch] as Float32Array)[index]), 0) / reports.length;
  return {
    loss: mean(0),
    gradientNorm,
    metrics: Object.fromEntries(names.map((name, index) => [name, mean(index + 1)])),
  };
}
