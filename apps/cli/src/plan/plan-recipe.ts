import { countGraphFlops, type Flops, peakActivationBytes, prepareQuantized, weightBytes } from '@ocelli/core-tensor';
import { createPublished, type PublishedArchitecture, type PublishedVariant } from '@ocelli/vlm';
import { UsageError } from '../errors.js';
import { type ComparedFigure, compareFigures } from './compare-figures.js';
import { elementsOf, type InferenceMemory, inferenceMemory, type TrainingMemory, trainingMemory } from './memory.js';
import {
  type NamedVariant,
  type OutlinedRecipe,
  outlineRecipe,
  type RecipeInput,
  type RecipeOutline,
  recordPrompt,
} from './outline-recipe.js';
import type { PartPlan } from './part-plans.js';
import { floatBytesOf, isQuantized, type Precision, type QuantizedPrecision, quantization } from './precision.js';
import { type RecordedStage, recordStage } from './record-stage.js';

/** A stage of the published training. */
export interface StagePlan {
  readonly name: string;
  /** Where what trains is said. */
  readonly source: string;
  /** Sequences of a step as published, over all devices. */
  readonly publishedBatch: number | null;
  /** Tokens of the planned sequences. */
  readonly context: number;
  readonly visualTokens: number;
  /** Parameters that train, and the parts with any. */
  readonly trained: { readonly total: number; readonly parts: readonly PartPlan[] };
  /** Forward and backward pass of one sequence. */
  readonly flops: Flops;
}

/** Memory of training in a stage. */
export interface StageMemory extends TrainingMemory {
  readonly stage: string;
}

/** Memory under one precision. */
export interface RecipePrecisionPlan {
  readonly precision: Precision;
  readonly inference: InferenceMemory;
  /** By stage; empty for a two-tower model in few bits, which has no language model to put adapters on. */
  readonly training: readonly StageMemory[];
}

/** What a published multimodal model costs, found out from shapes alone. */
export interface RecipePlan extends RecipeOutline {
  /** Of the memory; operations are those of one sequence. */
  readonly batch: number;
  readonly stages: readonly StagePlan[];
  readonly memory: readonly RecipePrecisionPlan[];
  readonly published: readonly ComparedFigure[];
}

/** Options of {@link planRecipe}. */
export interface RecipePlanOptions extends RecipeInput {
  readonly batch: number;
  readonly precisions: readonly Precision[];
  /**
   * Adapters of this rank on the language model train in its place, whatever the precision. Default: rank 16 where its
   * weights are quantized, else the language model itself.
   */
  readonly loraRank?: number | undefined;
}

/** Rank of the adapters on quantized weights, which cannot train themselves. */
const defaultLoraRank = 16;

/**
 * Parameters, operations, memory and training of a published multimodal model, without any weights, beside the figures
 * that were published of it.
 *
 * @throws UsageError if image, context or adapters do not fit the model
 * @throws ConfigError if a part cannot be built for the image's size
 */
export function planRecipe(named: NamedVariant, options: RecipePlanOptions): RecipePlan {
  const { variant, name } = named;
  const outlined = outlineRecipe(named, options);
  const { outline, architecture, programs } = outlined;
  if (options.loraRank !== undefined && !programs.language) {
    throw new UsageError(`plan: expected a variant with a language model for --lora, received ${name}.`);
  }
  const stages = variant.stages.map((stage) =>
    recordStage({ architecture, variant, stage }, { ...options, batch: 1, quantized: undefined, loraRank: null }),
  );
  return {
    ...outline,
    batch: options.batch,
    stages: stages.map(({ name: stage, source, publishedBatch, context, visualTokens, ...recorded }) => ({
      name: stage,
      source,
      publishedBatch,
      context,
      visualTokens,
      trained: { total: recorded.ownParameters, parts: recorded.trainedParts },
      flops: countGraphFlops(recorded.program.graph),
    })),
    memory: planMemory(outlined, { ...options, variant, stages }),
    published: compareFigures(variant),
  };
}

interface MemoryOptions extends RecipePlanOptions {
  readonly variant: PublishedVariant;
  /** At a batch of 1, without adapters and in floats. */
  readonly stages: readonly RecordedStage[];
}

function planMemory(
  { outline: { context }, architecture, programs: { prompt, language } }: OutlinedRecipe,
  options: MemoryOptions,
): RecipePrecisionPlan[] {
  const { batch, variant, stages } = options;
  const reading = recordPrompt(prompt, { batch, context });
  const cacheElements = elementsOf(prompt({ batch, context: 1 }).held) * context;
  // Floats of 16 and of 32 bits make the same programs.
  const known = new Map<string, readonly RecordedStage[]>();
  if (batch === 1 && options.loraRank === undefined) known.set('floats', stages);
  const stagesFor = (quantized: QuantizedPrecision | undefined): readonly RecordedStage[] => {
    if (quantized && !language) return [];
    const loraRank = options.loraRank ?? (quantized ? defaultLoraRank : null);
    const key = quantized ?? 'floats';
    const recorded =
      known.get(key) ??
      variant.stages.map((stage) => recordStage({ architecture, variant, stage }, { ...options, quantized, loraRank }));
    known.set(key, recorded);
    return recorded;
  };
  return options.precisions.map((precision) => {
    const floatBytes = floatBytesOf(precision);
    const quantized = isQuantized(precision) ? precision : undefined;
    return {
      precision,
      inference: inferenceMemory({
        weights: bytesOfWeights(architecture, floatBytes, quantized),
        cache: cacheElements * floatBytes,
        activations: peakActivationBytes(reading, { floatBytes }),
      }),
      training: stagesFor(quantized).map((stage) => ({
        stage: stage.name,
        ...trainingMemory(stage, { weights: stage.weights(floatBytes), loraRank: stage.loraRank, floatBytes }),
      })),
    };
  });
}

/** Of a model that is only used: all of its linear layers may be in few bits. */
function bytesOfWeights(
  architecture: PublishedArchitecture,
  floatBytes: number,
  quantized: QuantizedPrecision | undefined,
): number {
  const model = createPublished(architecture);
  if (quantized) prepareQuantized(model, quantization[quantized]);
  return weightBytes(model, { floatBytes });
}
