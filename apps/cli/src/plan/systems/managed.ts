import { placeholder } from '@ocelli/core-tensor';
import type { ManagedBatch, ManagedVisionLanguageModel } from '@ocelli/vlm';
import { decoderStep } from './decoder-step.js';
import { type ImageInput, type PromptSize, type SystemPrograms, usualText } from './system-programs.js';
import { tilesOf } from './tiles.js';

/** Programs of a model with managers in its language model: LLaVA-OV-Manager. */
export function managedPrograms(model: ManagedVisionLanguageModel, input: ImageInput): SystemPrograms {
  const { decoder, vision } = model;
  const { language } = decoder;
  const side = vision.imageSize!;
  const [rows] = vision.featureGrid();
  const tiles = tilesOf(input, side, rows);
  const pixels = (batch: number) => placeholder([batch * tiles.inputs, 3, side, side]);
  const batchOf = ({ batch, context }: PromptSize): ManagedBatch => {
    const ids = () => placeholder([batch, context], 'int32');
    return {
      inputIds: ids(),
      plan: ids(),
      labels: ids(),
      attentionMask: ids(),
      gridTokens: tiles.tokens(batch),
      managedPlan: ids(),
      questionMask: ids(),
    };
  };
  const { visualTokens } = tiles;
  return {
    language,
    image: tiles.image,
    towerInputs: tiles.inputs,
    visualTokens,
    context: visualTokens + usualText,
    minimumContext: visualTokens + 1,
    maximumContext: language.config.maxPositionEmbeddings,
    features: () => ({ outputs: [model.states(pixels(1)).at(-1)!], held: [] }),
    visual: () => {
      const states = model.states(pixels(1));
      const batch = batchOf({ batch: 1, context: visualTokens });
      const { inputsEmbeds } = decoder.input(states, batch);
      return { outputs: [inputsEmbeds, decoder.visualLevels(states, batch)], held: [] };
    },
    prompt: (size) => {
      const { inputsEmbeds, hooks } = model.input(pixels(size.batch), batchOf(size));
      const { logits, cache } = language.prefill({ inputsEmbeds, hooks, capacity: size.context });
      return { outputs: [logits], held: [...cache.keys, ...cache.values] };
    },
    step: (size) => decoderStep(language, size),
    loss: (size) => model.forward(pixels(size.batch), batchOf(size)).loss!,
  };
}
