import { compile, Parameter } from '@ocelli/core-tensor';
import { type GeneratedRow, type GenerationConfigInput, generate } from '@ocelli/language';
import type { MixingHooks } from '@ocelli/moai-mixer';
import type { MoaiBatch, MoaiModel } from './moai-model.js';

/** Answers the prompts of a batch, padded on the left. */
export type MoaiAnswerer = (batch: MoaiBatch, options: GenerationConfigInput) => Promise<GeneratedRow[]>;

/**
 * Answers of a MoAI model. What was found is mixed in while the prompt is read; later tokens read it from the cache. Keep
 * the function: it holds the compiled programs, one per shape of batch.
 */
export function createMoaiAnswerer(model: MoaiModel): MoaiAnswerer {
  const read = compile((batch: MoaiBatch) => {
    const { inputsEmbeds, imageMask, aux } = model.sequence(batch);
    return { inputsEmbeds, imageMask, aux };
  });
  // A program is compiled for each object of hooks: these stay, and the auxiliary tokens in them change.
  const mixing = new Map<string, { readonly aux: Parameter; readonly hooks: MixingHooks }>();
  return async (batch, options) => {
    const { inputsEmbeds, imageMask, aux } = await read(batch);
    const shape = aux.shape.join();
    const known = mixing.get(shape) ?? hooksFor(model, new Parameter(aux.shape));
    mixing.set(shape, known);
    known.aux.set((await aux.data()) as Float32Array);
    return generate(model.decoder.language, {
      ...options,
      inputsEmbeds,
      attentionMask: batch.attentionMask,
      visualMask: imageMask,
      hooks: known.hooks,
    });
  };
}

function hooksFor(model: MoaiModel, aux: Parameter) {
  return { aux, hooks: model.decoder.mixers.hooks({ aux }) };
}
