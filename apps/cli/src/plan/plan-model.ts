import {
  applyLora,
  countGraphFlops,
  extrapolateGraph,
  type Flops,
  gradients,
  Linear,
  peakActivationBytes,
  prepareQuantized,
  type QuantizeOptions,
  type RecordedGraph,
  recordGraph,
  sizeOf,
  type Tensor,
  weightBytes,
} from '@ocelli/core-tensor';
import { UsageError } from '../errors.js';
import type { InputSize, PlannedModel, PublishedModel, Recorded } from './published-models.js';

/** What weights are held in: `int8` and `int4` stand for linear layers in blocks of 32, and float32 for all else. */
export type Precision = 'float32' | 'bfloat16' | 'float16' | 'int8' | 'int4';

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
  readonly precision: Precision;
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
  readonly precisions: readonly Precision[];
  /** Train adapters of this rank, whatever the precision. Default: rank 16 for quantized weights, else everything. */
  readonly loraRank?: number | undefined;
}

/** Rank of the adapters on quantized weights, which cannot train themselves. */
const defaultLoraRank = 16;

/** Longer texts are extrapolated: the mask of a recorded one is an array of its squared length. */
const longestRecorded = 2048;

/** How linear layers are quantized, as exported language models usually are. */
const quantization = {
  int8: { format: 'nbits', bits: 8, blockSize: 32 },
  int4: { format: 'nbits', bits: 4, blockSize: 32 },
} as const satisfies Partial<Record<Precision, QuantizeOptions>>;

/**
 * Parameters, operations and memory of a published model, without any weights.
 *
 * @throws UsageError if the input does not fit the model
 */
export function planModel(name: string, { kind, build }: PublishedModel, options: PlanOptions): ModelPlan {
  const single = build({ ...options, batch: 1 });
  requireContext(name, single);
  const forward = countGraphFlops(inferenceOf(single, 'forward').graph);
  const { input, module } = single;
  return {
    name,
    kind,
    parameters: module.parameterCount(),
    batch: options.batch,
    ...describeInput(single),
    flops: {
      forward,
      ...(input.kind === 'texts' ? { perToken: scaled(forward, 1 / input.context) } : {}),
      training: countGraphFlops(trainingOf(single).graph),
    },
    memory: planMemory(build, options),
  };
}

function planMemory(build: PublishedModel['build'], options: PlanOptions): PrecisionPlan[] {
  // Floats of 16 and of 32 bits make the same programs.
  const programs = new Map<string, Programs>();
  return options.precisions.map((precision) => {
    const quantized = isQuantized(precision) ? precision : undefined;
    const loraRank = options.loraRank ?? (quantized ? defaultLoraRank : null);
    const known = programs.get(quantized ?? 'floats') ?? record(build(options), quantized, loraRank);
    programs.set(quantized ?? 'floats', known);
    const floatBytes = precision === 'bfloat16' || precision === 'float16' ? 2 : 4;
    const weights = known.weights(floatBytes);
    const cache = known.cacheElements * floatBytes;
    const activations = peakActivationBytes(known.inference, { floatBytes });
    return {
      precision,
      inference: { weights, cache, activations, total: weights + cache + activations },
      training: known.training && trainingMemory(known.training, { weights, loraRank, floatBytes }),
    };
  });
}

/** What is run of a model. */
interface Programs {
  /** Bytes without adapters. */
  readonly weights: (floatBytes: number) => number;
  readonly inference: RecordedGraph;
  readonly cacheElements: number;
  readonly training: Training | null;
}

/** A recorded step of training. */
interface Training {
  readonly program: RecordedGraph;
  readonly trainedParameters: number;
}

function record(
  model: PlannedModel,
  quantized: keyof typeof quantization | undefined,
  loraRank: number | null,
): Programs {
  const { module, input } = model;
  if (quantized) prepareQuantized(module, quantization[quantized]);
  const [exact, halved] = [weightBytes(module), weightBytes(module, { floatBytes: 2 })];
  const inference = inferenceOf(model, 'prompt');
  const cacheElements = input.kind === 'texts' ? elementsOf(input.prompt(1).held) * input.context : 0;
  const hasLayers = Object.values(module.namedModules()).some((each) => each instanceof Linear);
  if (loraRank !== null && hasLayers) applyLora(module, { targetModules: 'all-linear', r: loraRank });
  const canTrain = loraRank === null || hasLayers;
  const training = canTrain
    ? { program: trainingOf(model), trainedParameters: elementsOf(Object.values(module.trainableParameters())) }
    : null;
  return { weights: (floatBytes) => (floatBytes === 4 ? exact : halved), inference, cacheElements, training };
}

interface TrainingConditions {
  readonly weights: number;
  readonly loraRank: number | null;
  readonly floatBytes: number;
}

/** Adapters come beside the weights, in float32; where everything trains, it is the weights that do. */
function trainingMemory(
  { program, trainedParameters }: Training,
  { weights: own, loraRank, floatBytes }: TrainingConditions,
): TrainingMemory {
  const trainsAll = loraRank === null;
  const weights = own + (trainsAll ? 0 : 4 * trainedParameters);
  const gradients = trainedParameters * (trainsAll ? floatBytes : 4);
  const masterCopy = trainsAll && floatBytes === 2 ? 4 : 0;
  const optimizer = trainedParameters * (8 + masterCopy);
  const activations = peakActivationBytes(program, { floatBytes });
  const total = weights + gradients + optimizer + activations;
  return { loraRank, trainedParameters, weights, gradients, optimizer, activations, total };
}

function isQuantized(precision: Precision): precision is keyof typeof quantization {
  return Object.hasOwn(quantization, precision);
}

function trainingOf({ module, input }: PlannedModel): RecordedGraph {
  const parameters = Object.values(module.trainableParameters());
  const step = (loss: Tensor) => recordGraph([loss], gradients(loss, parameters));
  return input.kind === 'images' ? step(input.loss()) : atContext((tokens) => step(input.loss(tokens)), input.context);
}

function inferenceOf({ input }: PlannedModel, program: 'forward' | 'prompt'): RecordedGraph {
  const recorded = ({ outputs, held }: Recorded) => recordGraph(outputs, held);
  if (input.kind === 'images') return recorded(input.features());
  return atContext((tokens) => recorded(input[program](tokens)), input.context);
}

function atContext(record: (tokens: number) => RecordedGraph, context: number): RecordedGraph {
  return context > longestRecorded ? extrapolateGraph(record, context) : record(context);
}

function elementsOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
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

function scaled({ matmul, convolution, elementwise }: Flops, factor: number): Flops {
  return { matmul: matmul * factor, convolution: convolution * factor, elementwise: elementwise * factor };
}
