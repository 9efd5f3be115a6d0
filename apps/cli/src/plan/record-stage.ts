import {
  applyLora,
  gradients,
  Linear,
  type Module,
  prepareQuantized,
  type RecordedGraph,
  recordGraph,
  trainOnly,
  weightBytes,
} from '@ocelli/core-tensor';
import { type ImageGrid, PUBLISHED_GRIDS } from '@ocelli/data';
import { createPublished, type PublishedArchitecture, type PublishedStage, type PublishedVariant } from '@ocelli/vlm';
import { atContext } from './at-context.js';
import { elementsOf, type Training } from './memory.js';
import type { RecipeInput } from './outline-recipe.js';
import { type PartPlan, partPlans } from './part-plans.js';
import { type QuantizedPrecision, quantization } from './precision.js';
import { programsOf } from './systems/programs-of.js';
import type { SystemPrograms } from './systems/system-programs.js';

/** A stage that is to be recorded. */
export interface StageToRecord {
  readonly architecture: PublishedArchitecture;
  readonly variant: PublishedVariant;
  readonly stage: PublishedStage;
}

/** How it is trained. */
export interface StageConditions extends RecipeInput {
  readonly batch: number;
  /** What linear layers that do not train are held in; undefined for floats. */
  readonly quantized: QuantizedPrecision | undefined;
  /** Adapters of this rank train in place of the language model where the stage trains it; null for the model itself. */
  readonly loraRank: number | null;
}

/** A stage's step, by shapes. */
export interface RecordedStage extends Training {
  readonly name: string;
  /** Where what trains is said. */
  readonly source: string;
  /** Sequences of a step as published, over all devices. */
  readonly publishedBatch: number | null;
  /** Tokens of its sequences. */
  readonly context: number;
  readonly visualTokens: number;
  /** Parts with parameters that train. */
  readonly trainedParts: readonly PartPlan[];
  /** Rank of the adapters; null where there are none. */
  readonly loraRank: number | null;
  /** Bytes of the model's own weights. */
  readonly weights: (floatBytes: number) => number;
}

/** Records forward and backward pass of a stage of the published training, with what the stage trains. */
export function recordStage(
  { architecture, variant, stage }: StageToRecord,
  { batch, image, context: wanted, quantized, loraRank: rank }: StageConditions,
): RecordedStage {
  const model = createPublished(architecture);
  trainOnly(model, stage);
  const grid = gridOf(stage, variant);
  const programs = programsOf(model, { image, grid });
  const loraRank = trains(programs.language) ? rank : null;
  if (loraRank !== null) programs.language!.freeze();
  if (quantized) quantizeFrozen(model, quantized);
  const [exact, halved] = [weightBytes(model), weightBytes(model, { floatBytes: 2 })];
  const ownParameters = countTrained(model);
  const trainedParts = partPlans(model, ({ requiresGrad }) => requiresGrad);
  if (loraRank !== null) addAdapters(programs.language!, loraRank);
  const context = contextOf(programs, wanted ?? stage.maximumLength);
  return {
    name: stage.name,
    source: stage.source,
    publishedBatch: stage.batchSize ?? null,
    context,
    visualTokens: programs.visualTokens,
    trainedParts,
    loraRank,
    ownParameters,
    adapterParameters: countTrained(model) - ownParameters,
    weights: (floatBytes) => (floatBytes === 4 ? exact : halved),
    program: recordStep(programs, { model, stage, batch, context }),
  };
}

interface Step {
  readonly model: Module;
  readonly stage: PublishedStage;
  readonly batch: number;
  readonly context: number;
}

function recordStep({ loss }: SystemPrograms, { model, stage, batch, context }: Step): RecordedGraph {
  const parameters = Object.values(model.trainableParameters());
  return atContext((tokens) => {
    const value = loss({ batch, context: tokens }, stage);
    return recordGraph([value], gradients(value, parameters));
  }, context);
}

/** How a stage cuts images. */
function gridOf({ images }: PublishedStage, variant: PublishedVariant): ImageGrid | undefined {
  if (images === undefined) return variant.grid;
  return images === 'anyres' || images === 'anyres_max_9' ? PUBLISHED_GRIDS[images] : undefined;
}

/** Adapters on all linear layers; only they and what trained outside before train then. */
function addAdapters(language: Module, rank: number): void {
  applyLora(language, { targetModules: 'all-linear', r: rank });
}

/** Linear layers whose weights stay as they are. */
function quantizeFrozen(module: Module, quantized: QuantizedPrecision): void {
  const frozen = Object.entries(module.namedModules())
    .filter(([, layer]) => layer instanceof Linear && 'requiresGrad' in layer.weight && !layer.weight.requiresGrad)
    .map(([path]) => path);
  if (frozen.length > 0) prepareQuantized(module, { ...quantization[quantized], include: frozen });
}

function trains(module: Module | undefined): boolean {
  return module !== undefined && Object.keys(module.trainableParameters()).length > 0;
}

function countTrained(module: Module): number {
  return elementsOf(Object.values(module.trainableParameters()));
}

/** As long as published, or as asked for, within what the model takes. */
function contextOf({ minimumContext, maximumContext }: SystemPrograms, wanted: number): number {
  return Math.max(minimumContext, Math.min(wanted, maximumContext));
}
