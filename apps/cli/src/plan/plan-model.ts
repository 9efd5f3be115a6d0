import {
  applyLora,
  countGraphFlops,
  extrapolateGraph,
  type Flops,
  gradients,
  Linear,
  type Module,
  peakActivationBytes,
  type RecordedGraph,
  recordGraph,
  sizeOf,
  type Tensor,
  type WeightPrecision,
  weightBytes,
} from '@ocelli/core-tensor';
import { UsageError } from '../errors.js';
import type { InputSize, PlannedModel, PublishedModel } from './published-models.js';

/** Memory in bytes while a model is used. */
export interface InferenceMemory {
  readonly weights: number;
  /** Keys and values of a whole context; 0 for encoders. */
  readonly cache: number;
  /** Most intermediate values at once. */
  readonly activations: number;
  readonly total: number;
}

/** Memory in bytes while a model is trained with AdamW. */
export interface TrainingMemory {
  /** Rank of the adapters that train; null where all parameters do. */
  readonly loraRank: number | null;
  readonly trainedParameters: number;
  readonly weights: number;
  readonly gradients: number;
  /** Two moments, and weights in float32 where those of the model are in 16 bits. */
  readonly optimizer: number;
  readonly activations: number;
  readonly total: number;
}

/** Memory under one precision. */
export interface PrecisionPlan {
  readonly precision: WeightPrecision;
  readonly inference: InferenceMemory;
  /** Null where nothing can be trained: a quantized model without a layer for adapters. */
  readonly training: TrainingMemory | null;
}

/** What a model costs, found out from shapes alone. Counts of operations are for one image or one text. */
export interface ModelPlan {
  readonly name: string;
  readonly kind: PublishedModel['kind'];
  readonly parameters: number;
  readonly batch: number;
  /** In pixels; only of vision models. */
  readonly image?: { readonly height: number; readonly width: number };
  /** What becomes of an image: tokens row by row. */
  readonly visualTokens?: {
    readonly count: number;
    readonly rows: number;
    readonly columns: number;
    readonly width: number;
  };
  /** Tokens of a text; only of models of texts. */
  readonly context?: number;
  readonly flops: {
    /** Of a whole image or text. */
    readonly forward: Flops;
    /** Of each token, where that many are in the context. */
    readonly perToken?: Flops;
    /** Forward and backward pass with all parameters trained. */
    readonly training: Flops;
  };
  readonly memory: readonly PrecisionPlan[];
}

/** Options of {@link planModel}. */
export interface PlanOptions extends InputSize {
  readonly precisions: readonly WeightPrecision[];
  /** Train adapters of this rank, whatever the precision. Default: rank 16 for quantized weights, else everything. */
  readonly loraRank?: number | undefined;
}

/** Rank of the adapters on quantized weights, which cannot train themselves. */
const defaultLoraRank = 16;

/** Longer texts are extrapolated: the mask of a recorded one is an array of its squared length. */
const longestRecorded = 2048;

/**
 * Parameters, operations and memory of a published model, without any weights.
 *
 * @throws UsageError if the input does not fit the model
 */
export function planModel(name: string, { kind, build }: PublishedModel, options: PlanOptions): ModelPlan {
  const { batch, precisions, loraRank } = options;
  const model = build(options);
  requireContext(name, model);
  const single = build({ ...options, batch: 1 });
  const forward = countGraphFlops(programs(single).forward().graph);
  const { input, module } = model;
  const full = once(() => trainingOf(model));
  const adapted = new Map<number, () => Training | null>();
  const withAdapters = (rank: number) => {
    const known = adapted.get(rank) ?? once(() => adapterTraining(build(options), rank));
    adapted.set(rank, known);
    return known();
  };
  const isQuantized = (precision: WeightPrecision) => precision === 'int8' || precision === 'int4';
  const program = programs(model).prompt();
  const cached = input.kind === 'texts' ? cacheElements(input.prompt, input.context) : 0;
  return {
    name,
    kind,
    parameters: module.parameterCount(),
    batch,
    ...describeInput(model),
    flops: {
      forward,
      ...(input.kind === 'texts' ? { perToken: scaled(forward, 1 / input.context) } : {}),
      training: countGraphFlops(trainingOf(single).program.graph),
    },
    memory: precisions.map((precision) => {
      const floatBytes = precision === 'bfloat16' || precision === 'float16' ? 2 : 4;
      const weights = weightBytes(module, precision);
      const cache = cached * floatBytes;
      const activations = peakActivationBytes(program, { floatBytes });
      const rank = loraRank ?? (isQuantized(precision) ? defaultLoraRank : undefined);
      const training = rank === undefined ? full() : withAdapters(rank);
      return {
        precision,
        inference: { weights, cache, activations, total: weights + cache + activations },
        training: training && memoryOf(training, { weights, precision, floatBytes }),
      };
    }),
  };
}

/** A recorded step of training. */
interface Training {
  readonly program: RecordedGraph;
  readonly module: Module;
  readonly loraRank: number | null;
}

interface WeightMemory {
  readonly weights: number;
  readonly precision: WeightPrecision;
  readonly floatBytes: number;
}

function memoryOf({ program, module, loraRank }: Training, { weights, precision, floatBytes }: WeightMemory) {
  const trained = Object.values(module.trainableParameters()).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  // Adapters come in addition, in float32; where everything trains, its weights are those of the model.
  const ofAdapters = loraRank === null ? 0 : trained * 4;
  const gradientBytes = trained * (loraRank === null ? floatBytes : 4);
  const master = loraRank === null && floatBytes === 2 ? 4 : 0;
  const optimizer = trained * (8 + master);
  // The backward pass takes one quantized weight at a time apart.
  const unpacked = precision === 'int8' || precision === 'int4' ? largestMatrix(module) * 4 : 0;
  const activations = peakActivationBytes(program, { floatBytes }) + unpacked;
  return {
    loraRank,
    trainedParameters: trained,
    weights: weights + ofAdapters,
    gradients: gradientBytes,
    optimizer,
    activations,
    total: weights + ofAdapters + gradientBytes + optimizer + activations,
  };
}

function trainingOf(model: PlannedModel, loraRank: number | null = null): Training {
  const { module } = model;
  const parameters = Object.values(module.trainableParameters());
  const { input } = model;
  const record = (loss: Tensor) => recordGraph([loss], gradients(loss, parameters));
  const program =
    input.kind === 'images' ? record(input.loss()) : atContext((tokens) => record(input.loss(tokens)), input.context);
  return { program, module, loraRank };
}

function adapterTraining(model: PlannedModel, rank: number): Training | null {
  const { module } = model;
  if (!Object.values(module.namedModules()).some((each) => each instanceof Linear)) return null;
  applyLora(module, { targetModules: 'all-linear', r: rank });
  return trainingOf(model, rank);
}

function programs({ input }: PlannedModel): { forward: () => RecordedGraph; prompt: () => RecordedGraph } {
  if (input.kind === 'images') {
    const features = () => {
      const { outputs, held } = input.features();
      return recordGraph(outputs, held);
    };
    return { forward: features, prompt: features };
  }
  const recorded = (run: typeof input.forward) =>
    atContext((tokens) => {
      const { outputs, held } = run(tokens);
      return recordGraph(outputs, held);
    }, input.context);
  return { forward: () => recorded(input.forward), prompt: () => recorded(input.prompt) };
}

function atContext(record: (tokens: number) => RecordedGraph, context: number): RecordedGraph {
  return context > longestRecorded ? extrapolateGraph(record, context) : record(context);
}

/** Elements of a cache: they grow with the tokens in it. */
function cacheElements(prompt: (tokens: number) => { readonly held: readonly Tensor[] }, context: number): number {
  return prompt(1).held.reduce((sum, { shape }) => sum + sizeOf(shape), 0) * context;
}

function requireContext(name: string, { input }: PlannedModel): void {
  if (input.kind === 'images' || input.context <= input.maximum) return;
  throw new UsageError(
    `plan: expected a --context of at most ${input.maximum} tokens, which ${name} is made for, received ${input.context}.`,
  );
}

function describeInput({ input }: PlannedModel): Pick<ModelPlan, 'image' | 'visualTokens' | 'context'> {
  if (input.kind === 'texts') return { context: input.context };
  const [rows, columns] = input.grid;
  const { height, width } = input;
  return {
    image: { height, width },
    visualTokens: { count: rows * columns, rows, columns, width: input.featureWidth },
  };
}

function largestMatrix(module: Module): number {
  const layers = Object.values(module.namedModules()).filter((each) => each instanceof Linear);
  return layers.reduce((most, { weight }) => Math.max(most, sizeOf(weight.shape)), 0);
}

function scaled({ matmul, convolution, elementwise }: Flops, factor: number): Flops {
  return { matmul: matmul * factor, convolution: convolution * factor, elementwise: elementwise * factor };
}

function once<Result>(compute: () => Result): () => Result {
  let known: { readonly result: Result } | undefined;
  return () => {
    known ??= { result: compute() };
    return known.result;
  };
}
