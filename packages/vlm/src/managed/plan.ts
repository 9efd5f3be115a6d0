import { type Tensor, tensor } from '@ocelli/core-tensor';
import {
  type GridLayout,
  IMAGE_TOKEN,
  planGridTokens,
  type SingleTile,
  type SpliceOptions,
  type SpliceRow,
  spliceImages,
} from '@ocelli/data';
import type { ResidualManagersConfig } from '@ocelli/manager';
import { type GridTokens, gridTensors } from '../grid-tokens.js';
import { type QuestionRow, questionIndex, questionPlaces } from './question.js';

/** Sequences with managed visual tokens, as tensors. */
export interface ManagedBatch {
  /** int32 [batch, length]; any id where an image is. */
  readonly inputIds: Tensor;
  /** int32 [batch, length]: rows of concat(text embeddings [batch · length], visual tokens, zeros [1]). */
  readonly plan: Tensor;
  /** int32 [batch, length]; −100 where nothing is trained. */
  readonly labels: Tensor;
  /** int32 [batch, length]; 1 at tokens and images, 0 at padding. */
  readonly attentionMask: Tensor;
  /** How features become visual tokens. */
  readonly gridTokens: GridTokens;
  /** int32 [batch, length]: rows of concat(visual tokens, zeros [1]); zeros where nothing is managed. */
  readonly managedPlan: Tensor;
  /** int32 [batch, length]: 1 at the question; in a row without one, at its managed visual tokens. */
  readonly questionMask: Tensor;
}

/** What the question is that adaptive managers look at. */
export interface QuestionOptions {
  /** Id that opens each turn, `<|im_start|>` of Qwen2: 151644. Default. */
  readonly openingToken?: number;
  /**
   * What the question is in a row without turns, a picture and its caption. `caption`: the caption, as in the released code,
   * whose managers then see what the model is to predict; kept for parity. `none`: there is none, and managers look at the
   * visual tokens instead. Makes no difference to static managers, those of the published models. Default: `caption`.
   */
  readonly captions?: 'caption' | 'none';
}

export interface ManagedBatchOptions
  extends Pick<SpliceOptions, 'imageToken' | 'maximumLength' | 'padding' | 'buckets' | 'padTokenId'>,
    QuestionOptions {
  /** Every image, in order, and one for every row without: its grid, or that it is one tile. */
  readonly images: readonly (GridLayout | SingleTile)[];
  /** Side of the square of features of a tower input. */
  readonly featuresPerSide: number;
  /** Which visual tokens are managed. Default: all. */
  readonly gridType?: ResidualManagersConfig['gridType'];
}

/**
 * Plans sequences in which managers find their visual tokens and the question. Rows without image bring a blank image
 * all the same, as the released code has it: every batch then uses the vision tower.
 *
 * @throws CollationError naming the row, if images, labels or masks do not fit its ids
 * @throws GridError if an image was laid out for another number of features
 */
export function planManagedBatch(rows: readonly SpliceRow[], options: ManagedBatchOptions): ManagedBatch {
  const { images, featuresPerSide, gridType = 'all', imageToken = IMAGE_TOKEN } = options;
  const tokens = planGridTokens(images, { featuresPerSide });
  const spliced = spliceImages(rows, { ...options, featureLengths: tokens.lengths });
  const { batch, length } = spliced;
  const starts = tokens.lengths.map((_, image) => tokens.lengths.slice(0, image).reduce((sum, each) => sum + each, 0));
  const managedPlan = new Int32Array(batch * length).fill(tokens.tokens);
  const questionMask = new Int32Array(batch * length);
  for (const [index, spans] of spliced.images.entries()) {
    const first = index * length + (options.padding === 'left' ? length - spliced.lengths[index]! : 0);
    const managed: number[] = [];
    for (const span of spans) {
      const [from, to] = managedRange(tokens.lengths[span.image]!, featuresPerSide ** 2, gridType);
      for (let token = from; token < Math.min(to, span.length); token++) {
        managedPlan[first + span.start + token] = starts[span.image]! + token;
        managed.push(span.start + token);
      }
    }
    if (managed.length === 0) continue;
    const row = questionRow(rows[index]!, spans[0]!.image, {
      imageToken,
      gridType,
      featuresPerSide,
      lengths: tokens.lengths,
    });
    for (const place of askedPlaces(row, managed, spliced.lengths[index]!, options)) questionMask[first + place] = 1;
  }
  const cells = [batch, length];
  return {
    inputIds: tensor(spliced.inputIds, cells),
    plan: tensor(spliced.plan, cells),
    labels: tensor(spliced.labels, cells),
    attentionMask: tensor(spliced.attentionMask, cells),
    gridTokens: gridTensors(tokens),
    managedPlan: tensor(managedPlan, cells),
    questionMask: tensor(questionMask, cells),
  };
}

/**
 * Places of what adaptive managers look at: the row's question, or where it has none its managed visual tokens.
 *
 * @param managed their places
 * @param length of the row's sequence
 */
export function askedPlaces(
  row: QuestionRow,
  managed: readonly number[],
  length: number,
  { openingToken = 151_644, captions = 'caption' }: QuestionOptions,
): readonly number[] {
  const isCaption = questionIndex(row, openingToken).start < 0;
  const asked = isCaption && captions === 'none' ? [] : questionPlaces(row, openingToken, length);
  return asked.length > 0 ? asked : managed;
}

/** Which of an image's visual tokens are managed. */
export function managedRange(
  tokens: number,
  baseTokens: number,
  gridType: ResidualManagersConfig['gridType'],
): readonly [from: number, to: number] {
  if (gridType === 'main') return [0, Math.min(baseTokens, tokens)];
  return gridType === 'grid' ? [Math.min(baseTokens, tokens), tokens] : [0, tokens];
}

/** A row without its padding, and its images. */
export function questionRow(
  { inputIds, attentionMask }: SpliceRow,
  firstImage: number,
  {
    imageToken,
    gridType,
    featuresPerSide,
    lengths,
  }: {
    readonly imageToken: number;
    readonly gridType: ResidualManagersConfig['gridType'];
    readonly featuresPerSide: number;
    readonly lengths: readonly number[];
  },
): QuestionRow {
  const ids = Array.from(inputIds).filter((_, place) => !attentionMask || Boolean(attentionMask[place]));
  const images = ids.flatMap((id, place) => (id === imageToken ? [place] : []));
  const own = lengths.slice(firstImage, firstImage + images.length);
  const managedLengths = own.map((length) => {
    const [from, to] = managedRange(length, featuresPerSide ** 2, gridType);
    return to - from;
  });
  return { ids, images, lengths: own, managedLengths };
}
