import {
  ConfigError,
  cast,
  equal,
  floor,
  foldStream,
  full,
  greaterEqual,
  randomUniform,
  reshape,
  type StreamKey,
  sliceAxis,
  softmax,
  type Tensor,
  tensor,
  topK,
  trainingKey,
  where,
} from '@ocelli/core-tensor';

/** The experts of each modality, in the order of gates and draws. */
export const expertNames = {
  image: ['aux', 'language', 'self'],
  language: ['aux', 'image', 'self'],
} as const;

/** A float type that gates compute in. */
export type GatePrecision = 'float32' | 'float16' | 'bfloat16';

/** How the outputs of the three experts of a modality become one. */
export type MoaiRouting =
  /** Weighted by the gates. */
  | {
      readonly kind: 'gates';
      readonly precision: GatePrecision;
      /** Only so many experts of the highest logits count. Default: all, as published; fewer is an ablation. */
      readonly topK?: 1 | 2 | 3 | undefined;
    }
  /** All alike: an ablation. */
  | { readonly kind: 'uniform' }
  /** One expert each for all image tokens and all language tokens: int32 [2], image first, numbers of {@link expertNames}. */
  | { readonly kind: 'draw'; readonly draws: Tensor };

/**
 * What a pass is for. `step1`: one expert of each modality is drawn uniformly, anew in every layer and pass, and the
 * gates take no part. `step2`: the gates weigh all experts. `evaluation`: as `step2`, with gates in half precision.
 */
export type MoaiMode = 'step1' | 'step2' | 'evaluation';

const precisions = { step2: 'bfloat16', evaluation: 'float16' } as const;

/** How a layer's mixer routes in a mode; the draws of `step1` come from the training key in force. */
export function routingOf(
  mode: MoaiMode,
  { gatePrecision, layer }: { readonly gatePrecision: 'official' | 'float32'; readonly layer: number },
): MoaiRouting {
  if (mode !== 'step1') return { kind: 'gates', precision: gatePrecision === 'official' ? precisions[mode] : 'float32' };
  const key = trainingKey();
  if (key) return { kind: 'draw', draws: drawExperts(foldStream(key, layer)) };
  throw new ConfigError({
    operation: 'MoAI mixer, step1',
    expected: 'a training key, from which experts are drawn',
    received: 'none',
    remedy: 'Record the step in withTrainingKey, or evaluate in another mode.',
  });
}

/** An expert for the image and one for the language, uniformly: int32 [2]. */
export function drawExperts(key: StreamKey): Tensor {
  const { length } = expertNames.image;
  return cast(floor(randomUniform(foldStream(key, 0x6d6f), [2]).mul(length)), 'int32');
}
