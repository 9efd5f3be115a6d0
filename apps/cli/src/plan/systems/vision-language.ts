import { placeholder, type Tensor } from '@ocelli/core-tensor';
import { arrangeGridTokens, type VisionLanguageBatch, type VisionLanguageModel } from '@ocelli/vlm';
import { decoderStep } from './decoder-step.js';
import { type ImageInput, type PromptSize, type SystemPrograms, usualText } from './system-programs.js';
import { tilesOf } from './tiles.js';

/** Programs of a vision-language model: Honeybee, ConvLLaVA, Eagle, and LLaVA-OV without managers. */
export function visionLanguagePrograms(model: VisionLanguageModel, input: ImageInput): SystemPrograms {
  const { language, imageSize: side } = model;
  const perTile = model.visualTokensPerImage;
  const tiles = input.grid && tilesOf(input, side, Math.sqrt(perTile));
  const { image, inputs, visualTokens } = tiles ?? {
    image: { height: side, width: side },
    inputs: 1,
    visualTokens: perTile,
  };
  const pixels = (batch: number) => placeholder([batch * inputs, 3, side, side]);
  const ids = ({ batch, context }: PromptSize) => placeholder([batch, context], 'int32');
  const batchOf = (size: PromptSize): VisionLanguageBatch => ({
    inputIds: ids(size),
    plan: ids(size),
    labels: ids(size),
    attentionMask: ids(size),
    positions: ids(size),
    pixelValues: pixels(size.batch),
    ...(tiles && { grid: tiles.tokens(size.batch) }),
  });
  const { featureLayer } = model.config;
  const visual = (): Tensor => {
    const features = model.encodeImages(pixels(1));
    return tiles && model.imageNewline ? arrangeGridTokens(features, model.imageNewline, tiles.tokens(1)) : features;
  };
  return {
    language,
    image,
    towerInputs: inputs,
    visualTokens,
    context: visualTokens + usualText,
    minimumContext: visualTokens + 1,
    maximumContext: language.config.maxPositionEmbeddings,
    features: () => ({
      outputs: [model.vision.features(pixels(1), featureLayer === undefined ? {} : { layer: featureLayer })],
      held: [],
    }),
    visual: () => ({ outputs: [visual()], held: [] }),
    prompt: (size) => {
      const { logits, cache } = language.prefill({
        inputsEmbeds: model.embed(batchOf(size)),
        capacity: size.context,
      });
      return { outputs: [logits], held: [...cache.keys, ...cache.values] };
    },
    step: (size) => decoderStep(language, size),
    loss: (size) => model.loss(batchOf(size)),
  };
}
