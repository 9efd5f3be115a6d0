import * as data from '@ocelli/data';
import { findAll } from '@ocelli/moai-mixer';
import {
  type MoaiConfigInput,
  type MoaiSample,
  microworldVisionModels,
  microworldVocabularies,
  moaiImageProcessor,
} from '../../src/index.js';

export const imageSize = 16;

export const questions = ['What colour is this?', 'Is there a red circle?'] as const;

export const tokenizer = data.createTokenizer(
  data.buildTokenizer([...questions, 'The image includes bounding box coordinates and their objects: red circle'], {
    vocabularySize: 320,
  }),
);

/** A MoAI model of a few thousand weights, with a mixer in its second layer. */
export const smallConfig = {
  vision: {
    type: 'clip',
    hiddenSize: 16,
    intermediateSize: 24,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    imageSize,
    patchSize: 8,
  },
  language: {
    vocabSize: tokenizer.vocabularySize,
    hiddenSize: 16,
    intermediateSize: 24,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: 2,
    initializerRange: 0.3,
  },
  compressor: { depth: 1, numHeads: 2, headDim: 4, numLatents: 3, initializerRange: 0.3 },
  mixers: { layers: [1], numHeads: 2, rank: 4, initializerRange: 0.3 },
  partialLora: { rank: 2, alpha: 2, initializerRange: 0.3 },
} as const satisfies MoaiConfigInput;

/** A red circle on the left, and in the second scene a blue square on the right and a word. */
export const scenes: readonly data.Scene[] = [1, 2].map((count) => ({
  background: 255,
  objects: (
    [
      { shape: 'circle', colour: 'red', size: 'large', x: 256, y: 256, extent: 384 },
      { shape: 'square', colour: 'blue', size: 'large', x: 768, y: 256, extent: 384 },
    ] as const
  ).slice(0, count),
  text: count === 1 ? null : { content: 'SUN', x: 200, y: 700, dot: 16 },
  chart: null,
}));

/** A question about each of the scenes, with what perfect external models find. */
export async function samples(answers?: readonly string[]): Promise<MoaiSample[]> {
  const models = microworldVisionModels({ imageSize });
  return Promise.all(
    scenes.map(async (scene, index): Promise<MoaiSample> => {
      const truth = data.groundTruth(scene, imageSize);
      const image = await data.decodeImage(await data.rasterise(data.renderSceneSvg(scene, imageSize), imageSize));
      return {
        question: questions[index]!,
        ...(answers && { answer: answers[index]! }),
        pixels: data.preprocessImage(image, moaiImageProcessor(imageSize)),
        findings: await findAll(models, { id: String(index), truth }),
      };
    }),
  );
}

/** How samples of the microworld become batches. */
export const preparation = { tokenizer, verbalization: { vocabularies: microworldVocabularies, imageSize } } as const;
