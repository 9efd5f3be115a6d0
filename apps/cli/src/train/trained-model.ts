import type { StreamKey, Tensor } from '@ocelli/core-tensor';
import type { Batch, Tokenizer } from '@ocelli/data';
import type { VisionEncoder } from '@ocelli/encoders';
import type { GeneratedRow, Llama } from '@ocelli/language';
import {
  type AnswerOptions,
  createAnswerer,
  createManagedAnswerer,
  type ManagedVisionLanguageBatch,
  ManagedVisionLanguageModel,
  toManagedTensors,
  toTensors,
  type VisionLanguageBatch,
  type VisionLanguageModel,
} from '@ocelli/vlm';

/** A model that `ocelli train` trains and `ocelli eval` asks. */
export type TrainedModel = VisionLanguageModel | ManagedVisionLanguageModel;

/** Its kinds, as configurations name them. */
export const trainedKinds = ['vision-language', 'managed'] as const;

/** What a model is given of a collated batch. */
export type ModelInputs = VisionLanguageBatch | ManagedVisionLanguageBatch;

/** The parts that weights of their own are read into. */
export function partsOf(model: TrainedModel): { readonly vision: VisionEncoder; readonly language: Llama } {
  const { language } = model instanceof ManagedVisionLanguageModel ? model.decoder : model;
  return { vision: model.vision, language };
}

/** Makes the inputs of a model of collated batches. */
export function inputsFor(model: TrainedModel, tokenizer: Tokenizer): (batch: Batch) => ModelInputs {
  if (!(model instanceof ManagedVisionLanguageModel)) return toTensors;
  const [openingToken, ...others] = tokenizer.encode('<|im_start|>', { addSpecialTokens: false });
  // A caption is what the model is to predict. Where no token opens a turn, adaptive managers see visual tokens alone.
  const options = { captions: 'none', openingToken: others.length === 0 ? openingToken! : -2 } as const;
  return (batch) => toManagedTensors(batch, model, options);
}

/** Mean cross-entropy of a batch in training. */
export function trainingLoss(model: TrainedModel, inputs: ModelInputs, key: StreamKey | undefined): Tensor {
  return model instanceof ManagedVisionLanguageModel
    ? model.loss(inputs as ManagedVisionLanguageBatch, { trainingKey: key })
    : model.loss(inputs as VisionLanguageBatch, { dropoutKey: key });
}

/** Greedy answers of a model. Keep the function: it holds the compiled programs. */
export function answererOf(
  model: TrainedModel,
): (inputs: ModelInputs, options: AnswerOptions) => Promise<GeneratedRow[]> {
  if (!(model instanceof ManagedVisionLanguageModel)) {
    const answer = createAnswerer(model);
    return (inputs, options) => answer(inputs as VisionLanguageBatch, options);
  }
  const answer = createManagedAnswerer(model);
  return (inputs, options) => answer(inputs as ManagedVisionLanguageBatch, options);
}
