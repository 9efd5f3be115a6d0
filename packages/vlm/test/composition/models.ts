import { type Tensor, tensor } from '@ocelli/core-tensor';
import { gridLayout, IMAGE_TOKEN, imageGrid, planGridTokens, type SpliceRow, spliceImages } from '@ocelli/data';
import type { ResidualManagerType } from '@ocelli/manager';
import {
  type AssembledModel,
  createVision,
  gridTensors,
  ManagedVisionLanguageModel,
  MoaiModel,
  mergeImageTokens,
  planManagedBatch,
  TwoTowerModel,
  type VisionConfigInput,
  VisionLanguageModel,
  visualQuestionAnsweringLoss,
} from '../../src/index.js';
import { integers, normal } from '../support.js';
import { language, type ProjectorPart, projectorParts, type VisionPart, visionParts } from './parts.js';

/** What a vision part and a projector are put into. */
export interface Composition {
  readonly vision: VisionPart;
  readonly projector?: ProjectorPart;
  /** Newline tokens behind the rows of a picture in tiles. */
  readonly tiles?: boolean;
}

/** A model, and what it is trained on. */
export interface Trial {
  readonly model: AssembledModel;
  readonly loss: () => Tensor;
  /** What is compared before and after saving. */
  readonly output: (model: AssembledModel) => Tensor;
}

/** Two rows with a picture each: ids of turns, the picture, a question and an answer. */
const rows: readonly SpliceRow[] = [7, 9].map((id) => ({
  sampleId: `row ${id}`,
  inputIds: [1, 2, id, 1, 3, IMAGE_TOKEN, 4, id + 1, 5, 1, 6, id + 2, 5],
  labels: [...new Array<number>(11).fill(-100), id + 2, 5],
}));

function imagesOf(side: number, featuresPerSide: number, tiles: boolean) {
  if (!tiles) return rows.map(() => ({ tokens: featuresPerSide ** 2 }));
  const grid = imageGrid({ tile: side, candidates: [{ width: 2 * side, height: side }] });
  return rows.map(() => gridLayout({ width: 2 * side, height: side }, grid, featuresPerSide));
}

export function visionOf({ vision }: Pick<Composition, 'vision'>, file: string): VisionConfigInput {
  return visionParts[vision](file);
}

export function buildVisionLanguage(composition: Composition, file: string): VisionLanguageModel {
  const { projector = 'mlp', tiles = false } = composition;
  return new VisionLanguageModel({
    vision: visionOf(composition, file),
    projector: projectorParts[projector],
    language,
    imageNewline: tiles,
  });
}

export function tryVisionLanguage(composition: Composition, file: string): Trial {
  const model = buildVisionLanguage(composition, file).initialize(1);
  const { imageSize: side, visualTokensPerImage: tokens } = model;
  const { tiles = false } = composition;
  const images = imagesOf(side, Math.sqrt(tokens), tiles);
  const grid = tiles ? planGridTokens(images, { featuresPerSide: Math.sqrt(tokens) }) : undefined;
  const spliced = spliceImages(rows, { featureLengths: grid?.lengths ?? rows.map(() => tokens) });
  const cells = [spliced.batch, spliced.length];
  const batch = {
    inputIds: tensor(spliced.inputIds, cells),
    plan: tensor(spliced.plan, cells),
    labels: tensor(spliced.labels, cells),
    attentionMask: tensor(spliced.attentionMask, cells),
    positions: tensor(spliced.positions, cells),
    pixelValues: normal(tiles ? 6 : 2, 3, side, side),
    ...(grid && { grid: gridTensors(grid) }),
  };
  return { model, loss: () => model.loss(batch), output: (each) => (each as VisionLanguageModel).forward(batch) };
}

export interface ManagedComposition extends Composition {
  /** Levels of the encoder. */
  readonly levels: readonly [start: number, end: number];
  readonly managers?: ResidualManagerType;
}

export function buildManaged(composition: ManagedComposition, file: string): ManagedVisionLanguageModel {
  const {
    levels: [start, end],
    projector = 'mlp',
    managers: type = 'static',
    tiles = false,
  } = composition;
  return new ManagedVisionLanguageModel({
    vision: visionOf(composition, file),
    projector: projectorParts[projector],
    language,
    managers: { type, select: { start, end }, inject: { interval: 1, end: 2 }, firstLeavesOutLast: false },
    imageNewline: tiles,
  });
}

export function tryManaged(composition: ManagedComposition, file: string): Trial {
  const model = buildManaged(composition, file).initialize(1);
  // Fresh managers add nothing, and give nothing behind them a gradient.
  for (const [name, parameter] of Object.entries(model.namedParameters())) {
    if (!/layer_scores|zero_gate/.test(name)) continue;
    parameter.set(Float32Array.from({ length: parameter.size }, (_, index) => 0.3 * Math.sin(index + name.length)));
  }
  const { imageSize: side, visualTokensPerImage } = model;
  const { tiles = false } = composition;
  const featuresPerSide = Math.sqrt(visualTokensPerImage);
  const images = imagesOf(side, featuresPerSide, tiles);
  const batch = planManagedBatch(rows, { images, featuresPerSide, openingToken: 1 });
  const pixels = normal(tiles ? 6 : 2, 3, side, side);
  return {
    model,
    loss: () => model.forward(pixels, batch).loss!,
    output: (each) => (each as ManagedVisionLanguageModel).forward(pixels, batch).logits,
  };
}

export interface MoaiComposition extends Composition {
  /** Whether the language model is a plain LLaMA, without low-rank corrections. */
  readonly plain?: boolean;
}

export function buildMoai(composition: MoaiComposition, file: string): MoaiModel {
  const { projector, plain = true } = composition;
  return new MoaiModel({
    vision: visionOf(composition, file),
    ...(projector && { projector: projectorParts[projector] }),
    language,
    compressor: { depth: 1, numHeads: 2, headDim: 4, numLatents: 3, initializerRange: 0.3 },
    mixers: { layers: [1], numHeads: 2, rank: 4, initializerRange: 0.3 },
    partialLora: plain ? null : { rank: 2, alpha: 2, initializerRange: 0.3 },
  });
}

export function tryMoai(composition: MoaiComposition, file: string): Trial {
  const model = buildMoai(composition, file).initialize(1);
  const { imageToken, imageTokens } = model;
  const side = model.vision.imageSize!;
  const inputIds = [7, 9].map((id) => [1, 2, imageToken, 3, id, 5]);
  const { plan, attentionMask, imageMask, length } = mergeImageTokens({ inputIds }, { imageToken, imageTokens });
  const cells = [2, length];
  const labels = new Int32Array(2 * length).fill(-100);
  for (const row of [1, 2]) labels.set([9, 5], row * length - 2);
  const batch = {
    inputIds: integers(inputIds.flat(), [2, 6]),
    plan: tensor(plan, cells),
    attentionMask: tensor(attentionMask, cells),
    imageMask: integers(imageMask, cells),
    pixelValues: normal(2, 3, side, side),
    aux: { ids: integers([1, 4, 8, 1, 6, 10], [2, 3]), panopticPixels: normal(2, 3, side, side) },
    labels: tensor(labels, cells),
  };
  return {
    model,
    loss: () => model.forward(batch, { mode: 'step2' }).loss!,
    output: (each) => (each as MoaiModel).forward(batch).logits,
  };
}

export function tryTwoTower(fusion: 'manager' | 'bridge'): Trial {
  const { type: _, ...vision } = visionParts.clip();
  const sizes = { hiddenSize: 8, numHeads: 2, numLayers: 2 };
  const model = new TwoTowerModel({
    text: {
      vocabSize: 20,
      hiddenSize: 8,
      intermediateSize: 12,
      numHiddenLayers: 2,
      numAttentionHeads: 2,
      maxPositionEmbeddings: 12,
      typeVocabSize: 1,
    },
    vision,
    fusion:
      fusion === 'bridge' ? { type: 'bridge', ...sizes } : { ...sizes, managedTextLayers: 2, managedImageLayers: 2 },
    heads: { visualQuestionAnswering: { classes: 3 } },
  }).initialize(1);
  const inputs = { inputIds: integers([0, 5, 6, 2, 0, 7, 2, 1], [2, 4]), pixelValues: normal(2, 3, 16, 16) };
  const targets = tensor(Float32Array.of(1, 0, 0, 0, 1, 0), [2, 3]);
  return {
    model,
    loss: () => visualQuestionAnsweringLoss(model, inputs, targets),
    output: (each) => (each as TwoTowerModel).forward(inputs).pooled,
  };
}

/** How many levels an encoder has; none without. */
export function levelsOf(vision: VisionPart, file: string): number {
  const encoder = createVision(visionOf({ vision }, file));
  const side = encoder.imageSize!;
  return encoder.levels?.(normal(1, 3, side, side)).length ?? 0;
}
