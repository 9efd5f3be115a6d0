import type { ImageGrid } from '@ocelli/data';
import type { ModelKind, modelKinds } from '../model-kinds.js';
import type { StageImages, TrainingStage } from '../stages/training-stage.js';

/** The structure of a published model: which of the models here it is, and its configuration. */
export type PublishedArchitecture = {
  readonly [Kind in ModelKind]: {
    readonly kind: Kind;
    readonly config: Parameters<(typeof modelKinds)[Kind]['create']>[0];
  };
}[ModelKind];

/** What of a stage of the published training decides its cost. */
export interface PublishedStage
  extends Pick<TrainingStage, 'name' | 'trainable' | 'frozen' | 'maximumLength' | 'mode' | 'source'> {
  /** Sequences of an optimizer step, over all devices; undefined where it was not published. */
  readonly batchSize?: number | undefined;
  /** Tells whether images are cut into tiles. Default: as the variant says. */
  readonly images?: StageImages | undefined;
}

/** A number that was published, or that follows from the published code, to be compared with what is built here. */
export interface PublishedFigure {
  /**
   * `parameters`; `trained` parameters in a stage; `visualTokens` of an image; multiplications with their additions of
   * the encoders for an image (`visionMacs`), or of a whole pass over an image and a text of usual length (`macs`).
   */
  readonly quantity: 'parameters' | 'trained' | 'visualTokens' | 'visionMacs' | 'macs';
  /** Parts of the model that are counted, by their names in `modelParts`. Default: all. */
  readonly parts?: readonly string[] | undefined;
  /** Of `trained` alone: the stage. */
  readonly stage?: string | undefined;
  /** Of an image of this size in pixels, where it depends on it. */
  readonly image?: readonly [height: number, width: number] | undefined;
  readonly value: number;
  /** Largest difference that the rounding of the printed number explains. */
  readonly tolerance: number;
  /** What the source counts and is not built here: this much is added before comparing. Default: 0. */
  readonly beside?: number | undefined;
  readonly source: string;
  /** What `beside` is, or why a figure that does not agree is believed to differ. */
  readonly note?: string | undefined;
  /** Whether it agrees. `false` is a known disagreement, explained in `note`. Default: true. */
  readonly agrees?: boolean | undefined;
}

/** A model that was published, at its size. */
export interface PublishedVariant {
  readonly title: string;
  readonly architecture: PublishedArchitecture;
  /** How images of any resolution are cut into tiles. Default: they are resized to the vision tower's size. */
  readonly grid?: ImageGrid | undefined;
  readonly stages: readonly PublishedStage[];
  readonly figures: readonly PublishedFigure[];
  /** What a reader should know, such as which reading of an unclear source this is. */
  readonly note?: string | undefined;
}

/** A published system and its variants. */
export interface PublishedSystem {
  readonly title: string;
  readonly paper: string;
  readonly variants: Readonly<Record<string, PublishedVariant>>;
}

/** A number of parameters that is exact. */
export function exactParameters(
  value: number,
  source: string,
  rest: Partial<Omit<PublishedFigure, 'value' | 'source'>> = {},
): PublishedFigure {
  return { quantity: 'parameters', value, tolerance: 0, source, ...rest };
}

/** A number of parameters as it is printed, in millions. */
export function millions(
  printed: string,
  source: string,
  rest: Partial<Omit<PublishedFigure, 'value' | 'source'>> = {},
): PublishedFigure {
  const decimals = printed.split('.')[1]?.length ?? 0;
  const value = Math.round(Number(printed) * 1e6);
  return { quantity: 'parameters', value, tolerance: 0.5e6 / 10 ** decimals, source, ...rest };
}

/** A number of visual tokens. */
export function visualTokens(
  value: number,
  source: string,
  rest: Partial<Omit<PublishedFigure, 'value' | 'source'>> = {},
): PublishedFigure {
  return { quantity: 'visualTokens', value, tolerance: 0, source, ...rest };
}
