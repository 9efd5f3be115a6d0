import {
  ConfigError,
  cast,
  equal,
  floor,
  foldIn,
  foldStream,
  full,
  greaterEqual,
  mul,
  randomKey,
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
  if (mode !== 'step1')
    return { kind: 'gates', precision: gatePrecision === 'official' ? precisions[mode] : 'float32' };
  const key = trainingKey();
  if (key) return { kind: 'draw', draws: drawExperts(key, layer) };
  throw new ConfigError({
    operation: 'MoAI mixer, step1',
    expected: 'a training key, from which experts are drawn',
    received: 'none',
    remedy: 'Record the step in withTrainingKey, or evaluate in another mode.',
  });
}

/** An expert for the image and one for the language, uniformly, other ones in each layer: int32 [2]. */
export function drawExperts(key: StreamKey, layer: number): Tensor {
  const { low: use } = foldIn(randomKey('moai experts'), String(layer));
  return cast(floor(mul(randomUniform(foldStream(key, use), [2]), expertNames.image.length)), 'int32');
}

/** What decides about one modality's experts. */
export interface Choice {
  /** The modality's place in the draws. */
  readonly index: 0 | 1;
  /** Computes [batch, tokens, 3]; not called where the gates take no part. */
  readonly logits: () => Tensor;
}

/** Weights of the three experts, of sum 1: [batch, tokens, 3], or [1, 1, 3] where all tokens share them. */
export function expertWeights(routing: MoaiRouting, { index, logits }: Choice): Tensor {
  const count = expertNames.image.length;
  if (routing.kind === 'uniform') return full([1, 1, count], 1 / count);
  if (routing.kind === 'draw') {
    const drawn = sliceAxis(routing.draws, 0, index, index + 1); // [1]
    const numbers = tensor(Int32Array.of(0, 1, 2));
    return reshape(cast(equal(numbers, cast(drawn, 'int32')), 'float32'), [1, 1, count]);
  }
  return rounded(softmax(rounded(kept(logits(), routing.topK ?? count), routing.precision), -1), routing.precision);
}

/** Rounded to a float type and back, and so is what the gradient passes. */
function rounded(x: Tensor, precision: GatePrecision): Tensor {
  return cast(cast(x, precision), x.dtype);
}

/** Low enough to vanish in a softmax, and a float16. */
const outOfTheWay = -30000;

/** Logits [..., 3] with all but the `count` highest out of the way. */
function kept(logits: Tensor, count: number): Tensor {
  if (count === expertNames.image.length) return logits;
  const least = sliceAxis(topK(logits, count).values, -1, count - 1); // [..., 1]
  return where(greaterEqual(logits, least), logits, outOfTheWay);
}
