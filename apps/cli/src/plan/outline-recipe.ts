import { countGraphFlops, type Flops, type RecordedGraph, recordGraph } from '@ocelli/core-tensor';
import { createPublished, type PublishedArchitecture, type PublishedVariant } from '@ocelli/vlm';
import { UsageError } from '../errors.js';
import { atContext, without } from './at-context.js';
import { type PartPlan, partPlans } from './part-plans.js';
import type { Recorded } from './published-models.js';
import { withImageSize } from './systems/image-size.js';
import { programsOf } from './systems/programs-of.js';
import type { PromptSize, SystemPrograms } from './systems/system-programs.js';

/** A variant and the names that it goes by. */
export interface NamedVariant {
  readonly system: string;
  readonly paper: string;
  readonly name: string;
  readonly variant: PublishedVariant;
}

/** What a multimodal model is given. */
export interface RecipeInput {
  /** In pixels; undefined for the published size, or of a grid the image with the most tokens. */
  readonly image?: readonly [height: number, width: number] | undefined;
  /** Tokens of a sequence, visual ones included; undefined for a usual prompt, and the published length in training. */
  readonly context?: number | undefined;
}

/** What a published multimodal model is made of, and what it computes for one image and one prompt. */
export interface RecipeOutline {
  readonly system: string;
  readonly variant: string;
  readonly title: string;
  readonly paper: string;
  readonly note: string | null;
  /** In pixels. */
  readonly image: { readonly height: number; readonly width: number };
  /** Images that the vision tower sees of one. */
  readonly towerInputs: number;
  /** That one image becomes. */
  readonly visualTokens: number;
  /** Tokens of the prompt; of a two-tower model, of its text. */
  readonly context: number;
  readonly parameters: { readonly total: number; readonly parts: readonly PartPlan[] };
  readonly flops: {
    /** Encoders of an image, and their fusion. */
    readonly encoders: Flops;
    /** What else is computed of an image alone: projector, compressor, levels for managers. */
    readonly projection: Flops;
    /** The language model's (or the text encoder's and the cross-modal) pass over a prompt with one image. */
    readonly prefill: Flops;
    /** Of each token of an answer behind it; null for a model that writes none. */
    readonly perToken: Flops | null;
  };
}

/** An outline with what it was made of. */
export interface OutlinedRecipe {
  readonly outline: RecipeOutline;
  readonly architecture: PublishedArchitecture;
  readonly programs: SystemPrograms;
}

/**
 * Parameters and operations of a published multimodal model, without any weights.
 *
 * @throws UsageError if image or context do not fit the model
 * @throws ConfigError if a part cannot be built for the image's size
 */
export function outlineRecipe({ system, paper, name, variant }: NamedVariant, input: RecipeInput): OutlinedRecipe {
  const { image } = input;
  const architecture = variant.grid ? variant.architecture : withImageSize(variant.architecture, image);
  const model = createPublished(architecture);
  const programs = programsOf(model, { image, grid: variant.grid });
  const context = contextOf(name, programs, input.context ?? programs.context);
  const { features, visual, prompt, step } = programs;
  const size = { batch: 1, context };
  const encoders = flopsOf(features());
  const imageAlone = flopsOf(visual());
  const outline = {
    system,
    variant: name,
    title: variant.title,
    paper,
    note: variant.note ?? null,
    image: programs.image,
    towerInputs: programs.towerInputs,
    visualTokens: programs.visualTokens,
    context,
    parameters: { total: model.parameterCount(), parts: partPlans(model) },
    flops: {
      encoders,
      projection: without(imageAlone, encoders),
      prefill: without(countGraphFlops(recordPrompt(prompt, size).graph), imageAlone),
      perToken: step ? flopsOf(step(size)) : null,
    },
  };
  return { outline, architecture, programs };
}

/** The graph of a prompt; a long one is extrapolated. */
export function recordPrompt(prompt: SystemPrograms['prompt'], { batch, context }: PromptSize): RecordedGraph {
  return atContext((tokens) => {
    const { outputs, held } = prompt({ batch, context: tokens });
    return recordGraph(outputs, held);
  }, context);
}

function flopsOf({ outputs, held }: Recorded): Flops {
  return countGraphFlops(recordGraph(outputs, held).graph);
}

function contextOf(name: string, { minimumContext, maximumContext }: SystemPrograms, context: number): number {
  if (context >= minimumContext && context <= maximumContext) return context;
  throw new UsageError(
    `plan: expected a --context of ${minimumContext} to ${maximumContext} tokens for ${name}, visual tokens included, received ${context}.`,
  );
}
