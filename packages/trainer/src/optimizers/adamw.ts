import {
  type AnyTypedArray,
  ConfigError,
  compileUpdate,
  compileUpdates,
  formatShape,
  ones,
  Parameter,
  parseConfig,
  type Shape,
  select,
  type Tensor,
  tensor,
  type Updates,
  zeros,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { placeParameters } from '../place-parameters.js';
import { type AdamWRule, type AdamWRuleName, type AdamWTensors, adamWRules } from './adamw-rule.js';
import type { ParameterGroup } from './parameter-groups.js';

/** Constants of {@link AdamW} as data. */
export const adamWConfigSchema = z.strictObject({
  /** Whose update rule: they differ in the place of ε and of the decay. */
  rule: z.enum(Object.keys(adamWRules) as [AdamWRuleName, ...AdamWRuleName[]]).default('torch'),
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
  epsilon: z.number().positive().default(1e-8),
});

export type AdamWConfig = z.input<typeof adamWConfigSchema>;

export interface AdamWUpdateOptions {
  /** Learning rate of this step; groups multiply it by their own factor. */
  readonly learningRate: number;
  /** Factor of all gradients, a scalar tensor: that of `gradientClipper`, for instance. Default: 1. */
  readonly gradientScale?: Tensor;
}

/** An update the engine has been told to make; what is computed afterwards sees it. */
export interface AppliedUpdate {
  /** Resolves when it is made; rejects with EngineError if it fails. */
  readonly done: Promise<void>;
}

/** A tensor of an optimizer's state. Its values are read when they are asked for. */
export interface OptimizerTensor {
  readonly shape: Shape;
  data(): Promise<AnyTypedArray>;
}

/** State of an optimizer for a checkpoint: `exp_avg.NAME` and `exp_avg_sq.NAME`, as PyTorch calls them. */
export interface OptimizerState {
  /** Updates made so far. */
  readonly step: number;
  readonly tensors: Readonly<Record<string, OptimizerTensor>>;
}

/** State to go on from, in memory. */
export interface LoadedOptimizerState {
  readonly step: number;
  readonly tensors: Readonly<Record<string, { readonly shape: Shape; readonly data: AnyTypedArray }>>;
}

interface Slot {
  readonly name: string;
  readonly parameter: Parameter;
  readonly firstMoment: Parameter;
  readonly secondMoment: Parameter;
}

interface Group {
  readonly slots: readonly Slot[];
  readonly learningRateMultiplier: number;
  readonly weightDecay: number;
  /** Scalars of the step on the engine: decay, step size, root correction. */
  readonly scalars: readonly Tensor[];
}

/**
 * AdamW (Loshchilov & Hutter 2019). Moments live on the engine beside the parameters, and all three are written over
 * where they are: an update allocates nothing and reads every array once.
 *
 * @example
 * ```ts
 * const optimizer = new AdamW(parameterGroups(model, { learningRate: 1e-3, weightDecay: 0.1 }));
 * const { grads } = await step(batch);
 * await optimizer.update(grads, { learningRate: schedule(i) });
 * ```
 */
export class AdamW {
  private readonly rule: AdamWRule;
  private readonly constants: { readonly betas: readonly [number, number]; readonly epsilon: number };
  private readonly groups: readonly Group[];
  private readonly slots: readonly Slot[];
  private readonly apply: Updates;
  private readonly unscaled = ones([]);
  private steps = 0;

  /** @throws ConfigError for an unknown option, or a parameter that is not float32. */
  constructor(groups: readonly ParameterGroup[], config: AdamWConfig = {}) {
    const { rule, ...constants } = parseConfig('AdamW', adamWConfigSchema, config);
    this.rule = adamWRules[rule];
    this.constants = constants;
    this.groups = groups.map(({ parameters, learningRateMultiplier = 1, weightDecay = 0 }) => ({
      slots: Object.entries(parameters).map(([name, parameter]) => createSlot(name, parameter)),
      learningRateMultiplier,
      weightDecay,
      scalars: [zeros([]), zeros([]), zeros([])],
    }));
    this.slots = this.groups.flatMap(({ slots }) => slots);
    this.apply = compileUpdates((inputs) => this.rule.update(namedTensors(inputs), this.constants));
  }

  /** Updates made so far. */
  get step(): number {
    return this.steps;
  }

  /** Brings the moments to the engine. An update does so too, but keeps the main thread busy meanwhile. */
  async prepare(): Promise<void> {
    await placeParameters(this.slots.flatMap(({ firstMoment, secondMoment }) => [firstMoment, secondMoment]));
  }

  /**
   * Makes one step. The gradients are consumed: their memory is given back as soon as they have been used.
   *
   * @param grads one per parameter, by name.
   * @returns when the engine has the order to update; `done` tells when it has done so.
   * @throws ConfigError if gradients are missing, or some belong to no parameter.
   */
  async update(
    grads: Readonly<Record<string, Tensor>>,
    { learningRate, gradientScale = this.unscaled }: AdamWUpdateOptions,
  ): Promise<AppliedUpdate> {
    this.requireSameNames(grads);
    this.steps++;
    const pending: Promise<void>[] = [];
    for (const { slots, scalars, learningRateMultiplier, weightDecay } of this.groups) {
      const step = this.rule.scalars(this.steps, learningRate * learningRateMultiplier, weightDecay, this.constants);
      await spread([tensor([step.decay, step.stepSize, step.rootCorrection])], scalars);
      const { done } = await this.apply(
        slots.map(({ name, parameter, firstMoment, secondMoment }) => {
          const gradient = grads[name]!;
          return {
            inputs: [parameter, gradient, firstMoment, secondMoment, gradientScale, ...scalars],
            into: [parameter, firstMoment, secondMoment],
            consume: [gradient],
          };
        }),
      );
      pending.push(done);
    }
    const done = Promise.all(pending).then(() => undefined);
    done.catch(() => undefined);
    return { done };
  }

  /** What {@link loadState} needs to go on as if nothing had happened. */
  state(): OptimizerState {
    const tensors: Record<string, OptimizerTensor> = {};
    for (const [key, { shape, moment }] of this.namedMoments()) tensors[key] = { shape, data: () => moment.data() };
    return { step: this.steps, tensors };
  }

  /** @throws ConfigError if the state belongs to other parameters; nothing is changed then. */
  loadState({ step, tensors }: LoadedOptimizerState): void {
    const moments = this.namedMoments();
    const problems = [
      ...[...moments.keys()].filter((key) => !(key in tensors)).map((key) => `missing ${key}`),
      ...Object.keys(tensors)
        .filter((key) => !moments.has(key))
        .map((key) => `unexpected ${key}`),
      ...[...moments].flatMap(([key, { shape }]) => {
        const stored = tensors[key];
        return stored && stored.shape.join() !== shape.join()
          ? [`${key} ${formatShape(stored.shape)} instead of ${formatShape(shape)}`]
          : [];
      }),
    ];
    if (problems.length > 0) {
      throw new ConfigError({
        operation: 'AdamW.loadState',
        expected: 'the state of an optimizer of the same parameters',
        received: problems.slice(0, 5).join('; '),
        remedy: 'Train the same parameters as the run that saved it.',
      });
    }
    for (const [key, { moment }] of moments) moment.set(tensors[key]!.data);
    this.steps = step;
  }

  private namedMoments(): ReadonlyMap<string, { readonly shape: Shape; readonly moment: Parameter }> {
    return new Map(
      this.slots.flatMap(({ name, parameter: { shape }, firstMoment, secondMoment }) => [
        [`exp_avg.${name}`, { shape, moment: firstMoment }],
        [`exp_avg_sq.${name}`, { shape, moment: secondMoment }],
      ]),
    );
  }

  private requireSameNames(grads: Readonly<Record<string, Tensor>>): void {
    const missing = this.slots.filter(({ name }) => !(name in grads)).map(({ name }) => name);
    const known = new Set(this.slots.map(({ name }) => name));
    const unexpected = Object.keys(grads).filter((name) => !known.has(name));
    if (missing.length === 0 && unexpected.length === 0) return;
    throw new ConfigError({
      operation: 'AdamW.update',
      expected: 'one gradient per parameter',
      received: [
        ...missing.map((name) => `none for ${name}`),
        ...unexpected.map((name) => `one for ${name}, which is not optimized`),
      ]
        .slice(0, 5)
        .join('; '),
      remedy: 'Differentiate with respect to the parameters the optimizer was made for.',
    });
  }
}

/** Takes a vector apart into scalars. */
const spread = compileUpdate(([values]) =>
  Array.from({ length: values!.shape[0]! }, (_, index) => select(values!, 0, index)),
);

function createSlot(name: string, parameter: Parameter): Slot {
  if (parameter.dtype !== 'float32') {
    throw new ConfigError({
      operation: 'AdamW',
      expected: `float32 parameters`,
      received: `${name} of ${parameter.dtype}`,
      remedy: 'Freeze it, or convert the model to float32.',
    });
  }
  // Moments are parameters too: lazy, zero at first, and kept where the engine is.
  return { name, parameter, firstMoment: new Parameter(parameter.shape), secondMoment: new Parameter(parameter.shape) };
}

function namedTensors(inputs: readonly Tensor[]): AdamWTensors {
  const [parameter, gradient, firstMoment, secondMoment, gradientScale, decay, stepSize, rootCorrection] =
    inputs as readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  return { parameter, gradient, firstMoment, secondMoment, gradientScale, decay, stepSize, rootCorrection };
}
