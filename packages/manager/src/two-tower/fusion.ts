import {
  initializers,
  Linear,
  Module,
  ShapeError,
  type StreamKey,
  select,
  type Tensor,
  tanh,
} from '@ocelli/core-tensor';

/** What the cross-modal part of a two-tower model gets. */
export interface FusionInputs {
  /** Outputs of the topmost layers of the text encoder, projected, bottom to top: each [batch, text tokens, width]. */
  readonly text: readonly Tensor[];
  /** The same of the vision encoder: [batch, image tokens, width], or [1, image tokens, width] for all texts. */
  readonly image: readonly Tensor[];
  /** 0 where a text token is padding: [batch, text tokens]. Default: none is. */
  readonly textMask?: Tensor | undefined;
  /** Default: all image tokens exist. */
  readonly imageMask?: Tensor | undefined;
  /** Which row of the token types the image has: 1, or 2 for the second image of NLVR². Default: 1. */
  readonly imageTokenType?: number | undefined;
}

export interface FusionOptions {
  /** Drops what the configuration says, and makes managers explore; without a key neither, as in evaluation. */
  readonly trainingKey?: StreamKey | undefined;
}

export interface FusionOutput {
  /** [batch, text tokens, width] */
  readonly text: Tensor;
  /** [batch, image tokens, width] */
  readonly image: Tensor;
  /** Pooled text beside pooled image, for the heads: [batch, 2 · width]. */
  readonly pooled: Tensor;
}

/** tanh(W·x + b) of the first token. Key `dense`. */
export class Pooler extends Module {
  readonly dense: Linear;

  constructor(hiddenSize: number, initializerRange: number) {
    super();
    this.dense = new Linear(hiddenSize, hiddenSize, { initializer: initializers.normal(0, initializerRange) });
  }

  /** x [batch, tokens, width] → [batch, width] */
  forward(x: Tensor): Tensor {
    return tanh(this.dense.forward(select(x, 1, 0)));
  }
}

/** Sizes that the inputs of a fusion must have. */
interface FusionSizes {
  readonly text: number;
  readonly image: number;
  readonly width: number;
  readonly tokenTypes: number;
}

/** Batch of the inputs. @throws ShapeError if there are other numbers of layers, or their shapes do not fit */
export function fusionBatch(
  operation: string,
  { text, image, imageTokenType = 1 }: FusionInputs,
  sizes: FusionSizes,
): number {
  const fits = (states: readonly Tensor[], count: number) =>
    states.length === count &&
    states.every(({ shape }) => shape.length === 3 && shape[2] === sizes.width && shape[1] === states[0]!.shape[1]);
  const [textBatch, imageBatch] = [text, image].map((states) => states[0]?.shape[0]);
  const agree = textBatch === imageBatch || textBatch === 1 || imageBatch === 1;
  if (!fits(text, sizes.text) || !fits(image, sizes.image) || !agree || imageTokenType >= sizes.tokenTypes) {
    throw new ShapeError({
      operation,
      expected: `${sizes.text} text and ${sizes.image} image states [batch, tokens, ${sizes.width}], and an image token type below ${sizes.tokenTypes}`,
      received: [...text, ...image].map(({ shape }) => shape),
      remedy: 'Pass the outputs of as many topmost layers as the configuration manages, projected to the width.',
    });
  }
  return Math.max(textBatch!, imageBatch!);
}
