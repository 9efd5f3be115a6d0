import { peakActivationBytes, type RecordedGraph, sizeOf, type Tensor } from '@ocelli/core-tensor';

/** Memory in bytes while a model is used. */
export interface InferenceMemory {
  readonly weights: number;
  /** Keys and values of a whole context; 0 for encoders. */
  readonly cache: number;
  /** Most intermediate values at once. */
  readonly activations: number;
  readonly total: number;
}

/** Memory in bytes while a model is trained with AdamW. */
export interface TrainingMemory {
  /** Rank of the adapters that train; null where there are none. */
  readonly loraRank: number | null;
  readonly trainedParameters: number;
  readonly weights: number;
  readonly gradients: number;
  /** Two moments, and weights in float32 where those of the model are in 16 bits. */
  readonly optimizer: number;
  readonly activations: number;
  readonly total: number;
}

/** A recorded step of training. */
export interface Training {
  readonly program: RecordedGraph;
  /** Parameters of the model that train. */
  readonly ownParameters: number;
  /** Parameters of adapters beside it. */
  readonly adapterParameters: number;
}

export function inferenceMemory(parts: Omit<InferenceMemory, 'total'>): InferenceMemory {
  const { weights, cache, activations } = parts;
  return { weights, cache, activations, total: weights + cache + activations };
}

export interface TrainingConditions {
  /** Bytes of the model's weights. */
  readonly weights: number;
  readonly loraRank: number | null;
  readonly floatBytes: number;
}

/** Adapters come beside the weights, in float32; weights that train have a copy in float32 if they are in 16 bits. */
export function trainingMemory(
  { program, ownParameters, adapterParameters }: Training,
  { weights: own, loraRank, floatBytes }: TrainingConditions,
): TrainingMemory {
  const weights = own + 4 * adapterParameters;
  const gradients = ownParameters * floatBytes + 4 * adapterParameters;
  const masterCopy = floatBytes === 2 ? 4 : 0;
  const optimizer = ownParameters * (8 + masterCopy) + 8 * adapterParameters;
  const activations = peakActivationBytes(program, { floatBytes });
  const total = weights + gradients + optimizer + activations;
  const trainedParameters = ownParameters + adapterParameters;
  return { loraRank, trainedParameters, weights, gradients, optimizer, activations, total };
}

/** Number of elements of tensors together. */
export function elementsOf(tensors: readonly Pick<Tensor, 'shape'>[]): number {
  return tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
