import { compile, Parameter } from '@ocelli/core-tensor';
import { type GeneratedRow, type GenerationConfigInput, generate } from '@ocelli/language';
import type { InjectionHooks } from '@ocelli/manager';
import type { ManagedVisionLanguageBatch } from './batch.js';
import type { ManagedVisionLanguageModel } from './managed-model.js';

/** Answers the prompts of a batch, padded on the left. */
export type ManagedAnswerer = (
  batch: ManagedVisionLanguageBatch,
  options: GenerationConfigInput,
) => Promise<GeneratedRow[]>;

/** What hooks read, which changes from batch to batch, and the hooks, which stay. */
interface Injection {
  readonly levels: Parameter;
  readonly questionMask: Parameter;
  readonly hooks: InjectionHooks;
}

/**
 * Answers of a model with managers, which add to visual tokens while the prompt is read. Keep the function: it holds the
 * compiled programs, one per shape of batch.
 */
export function createManagedAnswerer(model: ManagedVisionLanguageModel): ManagedAnswerer {
  const read = compile(({ pixelValues, ...batch }: ManagedVisionLanguageBatch) => {
    const { inputsEmbeds, managed } = model.decoder.embed(model.states(pixelValues), batch);
    return { inputsEmbeds, levels: managed.levels };
  });
  // A program is compiled for each object of hooks.
  const injections = new Map<string, Injection>();
  return async (batch, options) => {
    const { inputsEmbeds, levels } = await read(batch);
    const shape = levels.shape.join();
    const known = injections.get(shape) ?? injectionOf(model, levels.shape);
    injections.set(shape, known);
    known.levels.set((await levels.data()) as Float32Array);
    known.questionMask.set((await batch.questionMask.data()) as Int32Array);
    const { attentionMask } = batch;
    return generate(model.decoder.language, { ...options, inputsEmbeds, attentionMask, hooks: known.hooks });
  };
}

/** @param shape [batch, levels, length, width] */
function injectionOf({ decoder }: ManagedVisionLanguageModel, shape: readonly number[]): Injection {
  const levels = new Parameter(shape);
  const questionMask = new Parameter([shape[0]!, shape[2]!], { dtype: 'int32', trainable: false });
  return { levels, questionMask, hooks: decoder.managers.hooks({ levels, questionMask }) };
}
