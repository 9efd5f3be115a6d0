import type { Tensor } from '@ocelli/core-tensor';
import type { ImageGrid } from '@ocelli/data';
import type { Llama } from '@ocelli/language';
import type { PublishedStage } from '@ocelli/vlm';
import type { Recorded } from '../published-models.js';

/** How an image is looked at. */
export interface ImageInput {
  /** In pixels; undefined for the size that the model is made for. */
  readonly image: readonly [height: number, width: number] | undefined;
  /** How it is cut into tiles, if it is. */
  readonly grid: ImageGrid | undefined;
}

/** How much a model is given. */
export interface PromptSize {
  readonly batch: number;
  /** Tokens of a sequence, visual ones included; of a two-tower model, those of its text. */
  readonly context: number;
}

/** What a multimodal model computes, to be recorded by shapes alone. One image for each sequence. */
export interface SystemPrograms {
  /** What adapters are put on; a two-tower model has none. */
  readonly language?: Llama | undefined;
  readonly image: { readonly height: number; readonly width: number };
  /** Images that the vision tower sees of one: the whole, and tiles. */
  readonly towerInputs: number;
  /** That one image takes. */
  readonly visualTokens: number;
  /** Tokens of the sequences that are planned if nothing else is asked for. */
  readonly context: number;
  /** Fewest and most tokens of a sequence. */
  readonly minimumContext: number;
  readonly maximumContext: number;
  /** Features of an image: encoders, and their fusion. */
  readonly features: () => Recorded;
  /** All that is computed of an image alone, {@link features} included. */
  readonly visual: () => Recorded;
  /** All that is computed before the first token of an answer; the cache is held. */
  readonly prompt: (size: PromptSize) => Recorded;
  /** One more token where so many are in the cache; a model that writes no text has none. */
  readonly step?: ((size: PromptSize) => Recorded) | undefined;
  readonly loss: (size: PromptSize, stage: PublishedStage) => Tensor;
}

/** Text beside the image in a prompt where nothing else is said: a system sentence and a question. */
export const usualText = 128;
