import {
  add,
  ConfigError,
  concat,
  crossEntropy,
  foldStream,
  gather,
  reshape,
  ShapeError,
  type StreamKey,
  select,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import {
  drawNegatives,
  imageTextContrast,
  visualQuestionAnsweringLoss as lossOfAnswers,
  rankingLoss as lossOfRanks,
  matchingPairs,
} from '@ocelli/manager';
import type { TwoTowerInputs, TwoTowerModel, TwoTowerOptions } from './two-tower-model.js';

function requireHead<Head>(head: Head | undefined, name: string): Head {
  if (head !== undefined) return head;
  throw new ConfigError({
    operation: 'two-tower objective',
    expected: `a model with the head ${name}`,
    received: 'one without it',
    remedy: `Set heads.${name} in its configuration.`,
  });
}

/**
 * Mean cross-entropy of masked tokens.
 *
 * @param inputs with masked ids
 * @param labels the ids, −100 where nothing is masked: int32 or int64 [batch, tokens]
 */
export function maskedLanguageModelLoss(
  model: TwoTowerModel,
  inputs: TwoTowerInputs,
  labels: Tensor,
  options: TwoTowerOptions = {},
): Tensor {
  const head = requireHead(model.mlm_score, 'maskedLanguageModel');
  return crossEntropy(head.forward(model.forward(inputs, options).text), labels);
}

/** Cross-entropy of whether texts and images match. labels [batch], 1 for a match. */
export function imageTextMatchingLoss(
  model: TwoTowerModel,
  inputs: TwoTowerInputs,
  labels: Tensor,
  options: TwoTowerOptions = {},
): Tensor {
  const head = requireHead(model.itm_score, 'imageTextMatching');
  return crossEntropy(head.forward(model.forward(inputs, options).pooled), labels);
}

/** Logits of answers, [batch, classes]. */
export function answerLogits(model: TwoTowerModel, inputs: TwoTowerInputs, options: TwoTowerOptions = {}): Tensor {
  return requireHead(model.vqa_classifier, 'visualQuestionAnswering').forward(model.forward(inputs, options).pooled);
}

/** Binary cross-entropy of all answers times their number. targets [batch, classes], see `annotatorScore`. */
export function visualQuestionAnsweringLoss(
  model: TwoTowerModel,
  inputs: TwoTowerInputs,
  targets: Tensor,
  options: TwoTowerOptions = {},
): Tensor {
  return lossOfAnswers(answerLogits(model, inputs, options), targets);
}

/** Logits of contradiction, neutral, entailment: [batch, 3]. */
export function entailmentLogits(model: TwoTowerModel, inputs: TwoTowerInputs, options: TwoTowerOptions = {}): Tensor {
  return requireHead(model.snli_classifier, 'visualEntailment').forward(model.forward(inputs, options).pooled);
}

/**
 * Logits of whether a text is true of two images, [batch, 2]: the text is fused with each, the second one under its own
 * token type.
 *
 * @param pixelValues of the first and the second images
 */
export function reasoningLogits(
  model: TwoTowerModel,
  texts: Pick<TwoTowerInputs, 'inputIds' | 'attentionMask'>,
  pixelValues: readonly [first: Tensor, second: Tensor],
  { trainingKey }: TwoTowerOptions = {},
): Tensor {
  const head = requireHead(model.nlvr2_classifier, 'visualReasoning');
  const key = (use: number) => trainingKey && foldStream(trainingKey, use);
  const pooled = pixelValues.map(
    (pixels, index) =>
      model.forward({ ...texts, pixelValues: pixels, imageTokenType: 1 + index }, { trainingKey: key(index) }).pooled,
  );
  return head.forward(concat(pooled, -1), { dropoutKey: key(2) });
}

/** What retrieval trains. */
export interface RetrievalLosses {
  /** Of the features of both towers, against soft targets. */
  readonly contrast: Tensor;
  /** Of matching the batch, and hard negatives drawn by the features. */
  readonly matching: Tensor;
  /** Their sum: switches of the official configuration are no weights. */
  readonly total: Tensor;
}

/**
 * The losses of retrieval: the towers run once, the fusion for 3 · batch pairs.
 *
 * @param inputs as many images as texts
 * @param imageIndex number of each image; those with one number match alike. Default: all differ, as in pre-training
 * @param negatives draws hard negatives; without a key the likeliest are taken
 */
export function retrievalLosses(
  model: TwoTowerModel,
  { inputIds, attentionMask = model.maskOf(inputIds), pixelValues }: TwoTowerInputs,
  {
    imageIndex,
    negatives,
    trainingKey,
  }: TwoTowerOptions & { readonly imageIndex?: Tensor | undefined; readonly negatives?: StreamKey | undefined } = {},
): RetrievalLosses {
  const key = (use: number) => trainingKey && foldStream(trainingKey, use);
  const matching = requireHead(model.itm_score, 'imageTextMatching');
  const text = model.encodeText(inputIds, attentionMask, key(0));
  const image = model.encodeImage(pixelValues);
  const { loss, negativeImageWeights, negativeTextWeights } = imageTextContrast({
    text: requireHead(model.cross_modal_itc_text_head, 'imageTextContrast').forward(text.last),
    image: requireHead(model.cross_modal_itc_image_head, 'imageTextContrast').forward(image.last),
    imageIndex,
    temperature: requireHead(model.temperature, 'imageTextContrast'),
  });
  const pairs = matchingPairs(
    drawNegatives(negativeImageWeights, negatives && foldStream(negatives, 0)),
    drawNegatives(negativeTextWeights, negatives && foldStream(negatives, 1)),
  );
  const { pooled } = model.fusion.forward(
    {
      text: text.levels.map((level) => gather(level, pairs.text)),
      image: image.levels.map((level) => gather(level, pairs.image)),
      textMask: gather(attentionMask, pairs.text),
    },
    { trainingKey: key(1) },
  );
  const matchingLoss = crossEntropy(matching.forward(pooled), pairs.labels);
  return { contrast: loss, matching: matchingLoss, total: add(loss, matchingLoss) };
}

/** How well each text matches its image, as retrieval ranks them: the logit of class 1, [batch]. */
export function matchingScores(model: TwoTowerModel, inputs: TwoTowerInputs): Tensor {
  const head = requireHead(model.itm_score, 'imageTextMatching');
  return select(head.forward(model.forward(inputs).pooled), 1, 1);
}

/** How well each text fits its image, by the head that ranks them without contrastive features: [batch]. */
export function rankingScores(model: TwoTowerModel, inputs: TwoTowerInputs, options: TwoTowerOptions = {}): Tensor {
  return requireHead(model.rank_output, 'ranking').score(model.forward(inputs, options).pooled);
}

/** An image's candidates: the text that belongs to it first, then false ones (15 in METER). */
export interface RankingInputs {
  /** [batch, candidates, tokens], int32 or int64 */
  readonly inputIds: Tensor;
  /** 0 where padded: [batch, candidates, tokens]. Default: where the padding id is. */
  readonly attentionMask?: Tensor | undefined;
  /** [batch, 3, height, width] */
  readonly pixelValues: Tensor;
}

/**
 * Cross-entropy of the matching text among each image's candidates (`compute_irtr`). The published function stacks ids of
 * one text with those of many and cannot run; this is what it is meant to compute. Each tower runs once, the fusion for all
 * pairs.
 *
 * @throws ShapeError if ids are not [batch, candidates, tokens], with a batch of images
 */
export function rankingLoss(
  model: TwoTowerModel,
  { inputIds, attentionMask, pixelValues }: RankingInputs,
  { trainingKey }: TwoTowerOptions = {},
): Tensor {
  const head = requireHead(model.rank_output, 'ranking');
  const [batch, candidates, tokens] = inputIds.shape;
  if (inputIds.shape.length !== 3 || pixelValues.shape[0] !== batch) {
    throw new ShapeError({
      operation: 'rankingLoss',
      expected: 'ids [batch, candidates, tokens] and as many images [batch, 3, height, width]',
      received: [inputIds.shape, pixelValues.shape],
    });
  }
  const pairs = batch! * candidates!;
  const key = (use: number) => trainingKey && foldStream(trainingKey, use);
  const ids = reshape(inputIds, [pairs, tokens!]);
  const mask = attentionMask ? reshape(attentionMask, [pairs, tokens!]) : model.maskOf(ids);
  const images = tensor(Int32Array.from({ length: pairs }, (_, pair) => Math.floor(pair / candidates!)));
  const { pooled } = model.fusion.forward(
    {
      text: model.encodeText(ids, mask, key(0)).levels,
      image: model.encodeImage(pixelValues).levels.map((level) => gather(level, images)),
      textMask: mask,
    },
    { trainingKey: key(1) },
  );
  return lossOfRanks(reshape(head.score(pooled), [batch!, candidates!]));
}
