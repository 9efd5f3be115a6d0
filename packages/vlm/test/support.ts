import { initializers, type Parameter, randomKey, type Tensor, tensor } from '@ocelli/core-tensor';
import type { ProjectorConfigInput, ProjectorType } from '@ocelli/projectors';
import type { VisionLanguageBatch, VisionLanguageConfig } from '../src/index.js';

const widths = { visionWidth: 16, languageWidth: 12 } as const;

/** A projector of each type for four features of an image; the tokens they become are all different in number. */
export const projectorConfigs = {
  linear: { type: 'linear', ...widths },
  mlp: { type: 'mlp', ...widths, endTokens: 1 },
  resampler: {
    type: 'resampler',
    ...widths,
    outputTokens: 3,
    hiddenSize: 8,
    intermediateSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    queryStart: 'normal',
  },
  'c-abstractor': { type: 'c-abstractor', ...widths, inputTokens: 4, outputTokens: 1, hiddenSize: 16, depth: 1 },
  'd-abstractor': {
    type: 'd-abstractor',
    ...widths,
    inputTokens: 4,
    outputTokens: 1,
    endTokens: 1,
    hiddenSize: 16,
    intermediateSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
  },
} as const satisfies Record<ProjectorType, ProjectorConfigInput>;

export const visualTokens = {
  linear: 4,
  mlp: 5,
  resampler: 3,
  'c-abstractor': 1,
  'd-abstractor': 2,
} as const satisfies Record<ProjectorType, number>;

/** A CLIP tower for images of 8 × 8 pixels. */
export const smallTower = {
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 8,
  patchSize: 4,
} as const;

/** A model small enough for any test: images of 8 × 8 pixels, four patches, 24 tokens. */
export function smallConfig(type: ProjectorType = 'linear'): VisionLanguageConfig {
  return {
    vision: smallTower,
    projector: projectorConfigs[type],
    language: {
      vocabSize: 24,
      hiddenSize: 12,
      intermediateSize: 20,
      numHiddenLayers: 2,
      numAttentionHeads: 2,
      initializerRange: 0.3,
    },
  };
}

export function integers(values: Iterable<number>, shape: readonly number[]): Tensor {
  return tensor(Int32Array.from(values), shape);
}

/** Standard normal numbers of a shape; the same each time. */
export function normal(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('test')), shape);
}

/** Two rows of ten: an image behind one token, then text; text alone. The second row is padded at its end. */
export function smallBatch(tokensPerImage: number): VisionLanguageBatch {
  const [rows, length] = [2, 10];
  const cells = Array.from({ length: rows * length }, (_, cell) => cell);
  const isVisual = (cell: number) => cell >= 1 && cell <= tokensPerImage;
  const isPadding = (cell: number) => cell >= 17;
  const isText = (cell: number) => !isVisual(cell) && !isPadding(cell);
  const ids = cells.map((cell) => (isText(cell) ? 1 + ((cell * 7) % 23) : 0));
  const shape = [rows, length];
  return {
    inputIds: integers(ids, shape),
    plan: integers(
      cells.map((cell) => (isVisual(cell) ? cells.length + cell - 1 : cell)),
      shape,
    ),
    labels: integers(
      cells.map((cell) => (isText(cell) && cell % length > 6 ? ids[cell]! : -100)),
      shape,
    ),
    attentionMask: integers(
      cells.map((cell) => (isPadding(cell) ? 0 : 1)),
      shape,
    ),
    positions: integers(
      cells.map((cell) => (isPadding(cell) ? 0 : cell % length)),
      shape,
    ),
    pixelValues: normal(1, 3, 8, 8),
  };
}

/** Largest difference of two tensors' numbers. */
export async function difference(a: Tensor, b: Tensor): Promise<number> {
  const [x, y] = (await Promise.all([a.data(), b.data()])) as [Float32Array, Float32Array];
  if (x.length !== y.length) return Number.POSITIVE_INFINITY;
  return x.reduce((most, value, index) => Math.max(most, Math.abs(value - y[index]!)), 0);
}

/** Minimises a compiled loss with Adam, on the host. Returns the loss of every step. */
export async function minimise(
  step: () => Promise<{ readonly value: Tensor; readonly grads: Readonly<Record<string, Tensor>> }>,
  parameters: Readonly<Record<string, Parameter>>,
  { steps, learningRate }: { readonly steps: number; readonly learningRate: number },
): Promise<number[]> {
  const moments = new Map<string, { first: Float32Array; second: Float32Array }>();
  const losses: number[] = [];
  for (let count = 1; count <= steps; count++) {
    const { value, grads } = await step();
    losses.push(await value.item());
    for (const [name, parameter] of Object.entries(parameters)) {
      const gradient = (await grads[name]!.data()) as Float32Array;
      const { first, second } = moments.get(name) ?? {
        first: new Float32Array(gradient.length),
        second: new Float32Array(gradient.length),
      };
      moments.set(name, { first, second });
      const values = Float32Array.from((await parameter.data()) as Float32Array, (old, index) => {
        first[index] = 0.9 * first[index]! + 0.1 * gradient[index]!;
        second[index] = 0.99 * second[index]! + 0.01 * gradient[index]! ** 2;
        const mean = first[index]! / (1 - 0.9 ** count);
        return old - (learningRate * mean) / (Math.sqrt(second[index]! / (1 - 0.99 ** count)) + 1e-8);
      });
      parameter.set(values);
    }
  }
  return losses;
}
