import {
  cast,
  equal,
  floor,
  foldStream,
  greaterEqual,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  mul,
  randomUniform,
  reshape,
  ShapeError,
  type StreamKey,
  sliceAxis,
  type Tensor,
  topK,
  where,
} from '@ocelli/core-tensor';

/** Options of {@link maskTokens}. Defaults are of RoBERTa's base tokenizer, and the published pre-training. */
export interface MaskTokensOptions {
  /** Draws what is masked. */
  readonly key: StreamKey;
  /** Tokens that are never masked. Default: 0, 1 and 2, which begin, pad and end a text, and 50264, the mask. */
  readonly special?: readonly number[];
  /** Default: 50264. */
  readonly maskToken?: number;
  /** Default: 50265. */
  readonly vocabSize?: number;
  /** Share of the other tokens that is to be predicted. Default: 0.15. */
  readonly share?: number;
}

/**
 * Masks tokens for {@link MaskedLanguageModelHead}: of those to be predicted, eight in ten become the mask and one any
 * token of the vocabulary; labels are −100 elsewhere. Single tokens, not words: as Hugging Face's
 * `DataCollatorForLanguageModeling`, which ManagerTower uses.
 *
 * @param inputIds [batch, tokens], int32 or int64
 */
export function maskTokens(
  inputIds: Tensor,
  { key, special = [0, 1, 2, 50_264], maskToken = 50_264, vocabSize = 50_265, share = 0.15 }: MaskTokensOptions,
): { readonly inputIds: Tensor; readonly labels: Tensor } {
  const { shape, dtype } = inputIds;
  const draw = (use: number) => randomUniform(foldStream(key, use), shape);
  const isSpecial = special.map((token) => equal(inputIds, token)).reduce(logicalOr, equal(inputIds, -1));
  const chosen = logicalAnd(less(draw(0), share), logicalNot(isSpecial));
  const fate = draw(1);
  const any = cast(floor(mul(draw(2), vocabSize)), dtype);
  const changed = where(less(fate, 0.8), maskToken, where(less(fate, 0.9), any, inputIds));
  return { inputIds: where(chosen, changed, inputIds), labels: where(chosen, inputIds, -100) };
}

/**
 * Pairs for image-text matching in pre-training: half of the batch, rounded down, keeps its images, at random places; the
 * others get false ones. Source: ManagerTower `src/modules/objectives.py`, `compute_itm`.
 *
 * @param pixelValues images that belong to the texts, [batch, 3, height, width]
 * @param falsePixelValues of as many images, drawn from the whole data set
 * @returns the images, and labels int32 [batch], 1 for a match
 * @throws ShapeError if the images are not as many and as large
 */
export function matchingImages(
  pixelValues: Tensor,
  falsePixelValues: Tensor,
  key: StreamKey,
): { readonly pixelValues: Tensor; readonly labels: Tensor } {
  const [batch = 0] = pixelValues.shape;
  if (pixelValues.shape.join() !== falsePixelValues.shape.join() || pixelValues.shape.length !== 4 || batch < 2) {
    throw new ShapeError({
      operation: 'matchingImages',
      expected: 'two batches of images [batch, 3, height, width] of the same shape, two or more each',
      received: [pixelValues.shape, falsePixelValues.shape],
    });
  }
  const draws = randomUniform(key, [batch]);
  const matches = Math.floor(batch / 2);
  const least = sliceAxis(topK(draws, matches).values, 0, matches - 1); // [1]
  const isMatch = greaterEqual(draws, least);
  return {
    pixelValues: where(reshape(isMatch, [batch, 1, 1, 1]), pixelValues, falsePixelValues),
    labels: cast(isMatch, 'int32'),
  };
}
