import {
  applyLora,
  countGraphFlops,
  type Flops,
  gradients,
  Linear,
  peakActivationBytes,
  prepareQuantized,
  type RecordedGraph,
  recordGraph,
  type Tensor,
  weightBytes,
} from '@ocelli/core-tensor';
import { UsageError } from '../errors.js';
import { atContext, scaled } from './at-context.js';
import {
  elementsOf,
  type InferenceMemory,
  inferenceMemory,
  type Training,
  type TrainingMemory,
  trainingMemory,
} from './memory.js';
import { floatBytesOf, isQuantized, type Precision, type QuantizedPrecision, quantization } from './precision.js';
import type { InputSize, PlannedModel, PublishedModel, Recorded } from './published-models.js';

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
    const floatBytes = floatBytesOf(precision);
    const weights = known.weights(floatBytes);
    const cache = known.cacheElements * floatBytes;
    const activations = peakActivationBytes(known.inference, { floatBytes });
    return {
      precision,
      inference: inferenceMemory({ weights, cache, activations }),
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

function record(model: PlannedModel, quantized: QuantizedPrecision | undefined, loraRank: number | null): Programs {
  const { module, input } = model;
  if (quantized) prepareQuantized(module, quantization[quantized]);
  const [exact, halved] = [weightBytes(module), weightBytes(module, { floatBytes: 2 })];
  const inference = inferenceOf(model, 'prompt');
  const cacheElements = input.kind === 'texts' ? elementsOf(input.prompt(1).held) * input.context : 0;
  const hasLayers = Object.values(module.namedModules()).some((each) => each instanceof Linear);
  if (loraRank !== null && hasLayers) applyLora(module, { targetModules: 'all-linear', r: loraRank });
  const canTrain = loraRank === null || hasLayers;
  const training = canTrain ? trainingStep(model, loraRank) : null;
  return { weights: (floatBytes) => (floatBytes === 4 ? exact : halved), inference, cacheElements, training };
}

function trainingStep(model: PlannedModel, loraRank: number | null): Training {
  const trained = elementsOf(Object.values(model.module.trainableParameters()));
  const [ownParameters, adapterParameters] = loraRank === null ? [trained, 0] : [0, trained];
  return { program: trainingOf(model), ownParameters, adapterParameters };
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
