import { compile, type Module, type NamedParameters, type Tensor, tensor, valueAndGrad } from '@ocelli/core-tensor';
import { Llama, type LlamaConfig } from '@ocelli/language';
import { AdamW } from '@ocelli/trainer';
import type { Step } from '../../../../packages/core-tensor/bench/cuda/timing.js';
import { fillLargeWeights } from '../../../../packages/core-tensor/bench/cuda/weights.js';

/** How many sequences of how many tokens a step reads. */
export interface BatchSize {
  readonly batch: number;
  readonly tokens: number;
}

/** Training steps with AdamW; the result is the loss. */
export function trainingStep<Inputs>(
  model: Module,
  inputs: Inputs,
  loss: (inputs: Inputs) => Tensor,
): { readonly step: Step; readonly trained: NamedParameters } {
  const trained = model.trainableParameters();
  const optimizer = new AdamW([{ parameters: trained, weightDecay: 0.01 }]);
  const forwardBackward = compile((given: Inputs) => valueAndGrad(() => loss(given), trained));
  const step: Step = async () => {
    const { value, grads } = await forwardBackward(inputs);
    await optimizer.update(grads, { learningRate: 1e-4 });
    return [value];
  };
  return { step, trained };
}

/** Steps of a decoder that learns made-up tokens. */
export async function decoderTraining(
  config: LlamaConfig,
  { batch, tokens }: BatchSize,
): Promise<{ readonly step: Step; readonly parameters: number }> {
  const model = new Llama(config).initialize(0);
  fillLargeWeights(model, config.initializerRange);
  const ids = tensor(madeUpTokens(batch * tokens, config.vocabSize), [batch, tokens]);
  const { step } = trainingStep(model, ids, (inputIds) => model.forward({ inputIds, labels: inputIds }).loss!);
  return { step, parameters: model.parameterCount() };
}

/** Tokens without a pattern that repeats. */
export function madeUpTokens(count: number, vocabulary: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => (i * 7919 + 13) % vocabulary);
}
