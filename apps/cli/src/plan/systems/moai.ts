import { placeholder, randomKey, streamKey, withTrainingKey } from '@ocelli/core-tensor';
import type { MoaiBatch, MoaiModel } from '@ocelli/vlm';
import { decoderStep } from './decoder-step.js';
import { type PromptSize, type SystemPrograms, usualText } from './system-programs.js';

/** Tokens of the verbalised findings of an image: on average about 275, as the authors say (README, question 2). */
const findingsTokens = 275;

/** Programs of MoAI, without the external vision models. */
export function moaiPrograms(model: MoaiModel): SystemPrograms {
  const { language, mixers } = model.decoder;
  const side = model.vision.imageSize!;
  const visualTokens = model.imageTokens;
  const pixels = (batch: number) => placeholder([batch, 3, side, side]);
  const aux = (batch: number) => ({
    ids: placeholder([batch, findingsTokens], 'int32'),
    panopticPixels: pixels(batch),
  });
  const batchOf = ({ batch, context }: PromptSize): MoaiBatch => {
    const ids = () => placeholder([batch, context], 'int32');
    return {
      inputIds: ids(),
      plan: ids(),
      attentionMask: ids(),
      imageMask: ids(),
      pixelValues: pixels(batch),
      aux: aux(batch),
      labels: ids(),
    };
  };
  return {
    language,
    image: { height: side, width: side },
    towerInputs: 2,
    visualTokens,
    context: visualTokens + usualText,
    minimumContext: visualTokens + 1,
    maximumContext: language.config.maxPositionEmbeddings,
    // The image, and the map of what the panoptic segmentation found in it.
    features: () => ({ outputs: [model.vision.features(pixels(2), { layer: model.config.featureLayer })], held: [] }),
    visual: () => ({
      outputs: [model.encodeImages(pixels(1)), model.moai_compressor.forward(model.auxTokens(aux(1)))],
      held: [],
    }),
    prompt: (size) => {
      const { inputsEmbeds, imageMask, aux: compressed } = model.sequence(batchOf(size));
      const { logits, cache } = language.prefill({
        inputsEmbeds,
        visualMask: imageMask,
        hooks: mixers.hooks({ aux: compressed }),
        capacity: size.context,
      });
      return { outputs: [logits], held: [...cache.keys, ...cache.values] };
    },
    step: (size) => decoderStep(language, size),
    loss: (size, { mode = 'step2' }) =>
      withTrainingKey(streamKey(randomKey(0)), () => model.forward(batchOf(size), { mode }).loss!),
  };
}
