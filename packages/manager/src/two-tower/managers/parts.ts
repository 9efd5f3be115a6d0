import {
  add,
  ConfigError,
  concat,
  div,
  expandDims,
  type Initializer,
  initializers,
  LayerNorm,
  Linear,
  layerNorm,
  mul,
  Parameter,
  randomNormal,
  reshape,
  ShapeError,
  sizeOf,
  softmax,
  stack,
  sum,
  type Tensor,
} from '@ocelli/core-tensor';
import type { ManagerConfig } from './config.js';
import type { Manager, ManagerForwardOptions, ManagerInputs, ManagerWeights } from './manager.js';

/** Learned weights [1, entries, 1, width or 1] that start with one number per entry. */
export function scoreParameter(
  starts: readonly number[],
  { weightType, hiddenSize, learnable }: ManagerConfig,
): Parameter {
  const width = weightType === 'vector' ? hiddenSize : 1;
  const initializer: Initializer = () =>
    Float32Array.from({ length: starts.length * width }, (_, index) => starts[Math.floor(index / width)]!);
  const scores = new Parameter([1, starts.length, 1, width], { initializer });
  scores.requiresGrad = learnable;
  return scores;
}

/** The scalar that scores are divided by. */
export function temperatureParameter({ softmaxTemperature, softmaxTemperatureLearnable }: ManagerConfig): Parameter {
  const temperature = new Parameter([1], { initializer: constant(softmaxTemperature) });
  temperature.requiresGrad = softmaxTemperatureLearnable;
  return temperature;
}

/** The second temperature of the released managers, which nothing uses: it is stored, and never gets a gradient. */
export function unusedTemperature({ softmaxTemperature }: ManagerConfig): Parameter {
  return new Parameter([1], { initializer: constant(softmaxTemperature), trainable: false });
}

function constant(value: number): Initializer {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** A linear layer that starts as all new ones of the model. */
export function managerLinear(inputs: number, outputs: number, { initializerRange }: ManagerConfig): Linear {
  return new Linear(inputs, outputs, { initializer: initializers.normal(0, initializerRange) });
}

/** A norm per level, and per earlier output that takes part. */
export function managerNorms(count: number, { hiddenSize, layerNormEps }: ManagerConfig): readonly LayerNorm[] {
  return Array.from({ length: count }, () => new LayerNorm(hiddenSize, layerNormEps));
}

/** Each entry under its own norm: x [batch, entries, tokens, width] → same. */
export function normalizeEntries(x: Tensor, norms: readonly LayerNorm[]): Tensor {
  const [, entries, , width] = x.shape as [number, number, number, number];
  const affine = (name: 'weight' | 'bias') => reshape(stack(norms.map((norm) => norm[name])), [1, entries, 1, width]);
  return add(mul(layerNorm(x, { epsilon: norms[0]!.epsilon }), affine('weight')), affine('bias'));
}

/** softmax over the levels of (scores + noise) / temperature; scores [1 or batch, levels, 1 or tokens, 1 or width]. */
export function levelSoftmax(scores: Tensor, temperature: Tensor, noise?: Tensor): Tensor {
  return softmax(div(noise ? add(scores, noise) : scores, temperature), 1);
}

/** Noise of the levels' own shape: it differs per feature even where the score itself does not. */
export function explorationNoise(
  levels: Tensor,
  { noiseKey, noise }: ManagerForwardOptions,
  config: ManagerConfig,
): Tensor | undefined {
  if (noise || !noiseKey || !config.explorationNoise) return noise;
  return mul(randomNormal(noiseKey, levels.shape), 1 / config.levels);
}

/** Σ weights ⊙ states over entries: states [batch, entries, tokens, width] → [batch, tokens, width]. */
export function weightedSum(states: Tensor, weights: Tensor): Tensor {
  return sum(mul(weights, states), { axes: 1 });
}

/** Levels and earlier outputs as a manager sums them, each under its norm. */
export interface NormalizedInputs {
  /** [batch, levels, tokens, width] */
  readonly levels: Tensor;
  /** [batch, outputs, tokens, width]; undefined where none takes part. */
  readonly previous: Tensor | undefined;
}

/**
 * Normalises what a manager sums.
 *
 * @param outputs how many of the last earlier outputs take part
 * @throws ShapeError if there are other numbers of levels or features, or fewer outputs
 */
export function normalizeInputs(
  { levels, previous }: ManagerInputs,
  norms: readonly LayerNorm[],
  { outputs, config }: { readonly outputs: number; readonly config: ManagerConfig },
): NormalizedInputs {
  const [batch, entries, tokens, width] = levels.shape;
  if (
    levels.shape.length !== 4 ||
    entries !== config.levels ||
    width !== config.hiddenSize ||
    previous.length < outputs
  ) {
    throw new ShapeError({
      operation: `${config.type} manager`,
      expected: `levels [batch, ${config.levels}, tokens, ${config.hiddenSize}] and ${outputs} earlier outputs`,
      received: [levels.shape, ...previous.map(({ shape }) => shape)],
    });
  }
  const normalized = normalizeEntries(levels, norms.slice(0, entries));
  if (outputs === 0) return { levels: normalized, previous: undefined };
  const earlier = previous.slice(-outputs).map((output) => reshape(output, [-1, 1, tokens!, width]));
  const stacked = earlier.length === 1 ? earlier[0]! : concat(earlier, 1); // [batch, outputs, tokens, width]
  if (stacked.shape[0] !== batch && batch !== 1) {
    throw new ShapeError({
      operation: `${config.type} manager`,
      expected: `earlier outputs [${batch}, ${tokens}, ${width}]`,
      received: [stacked.shape],
    });
  }
  return { levels: normalized, previous: normalizeEntries(stacked, norms.slice(entries)) };
}

/** Sums what was normalised under its weights. → [batch, tokens, width] */
export function aggregate(states: NormalizedInputs, weights: ManagerWeights): Tensor {
  const ofLevels = weightedSum(states.levels, weights.levels);
  return states.previous && weights.previous ? add(ofLevels, weightedSum(states.previous, weights.previous)) : ofLevels;
}

/**
 * The inputs, where weights depend on them.
 *
 * @throws ConfigError if there are none
 */
export function requireInputs(manager: Manager, inputs: ManagerInputs | undefined): ManagerInputs {
  if (inputs) return inputs;
  throw new ConfigError({
    operation: `${manager.constructor.name}.weights`,
    expected: 'inputs, as the weights depend on them',
    received: 'none',
    remedy: 'Pass what forward gets.',
  });
}

/** scores [batch, tokens, levels] as [batch, levels, tokens, 1]. */
export function perToken(scores: Tensor): Tensor {
  return expandDims(scores, -1);
}
