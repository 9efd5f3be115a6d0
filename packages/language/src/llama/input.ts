import { ConfigError, cast, cumsum, notEqual, ShapeError, sub, type Tensor, tensor, where } from '@ocelli/core-tensor';

/** A sequence of tokens, as ids or as vectors: exactly one of the two. */
export interface TokenInput {
  /** [batch, tokens], int32 or int64 */
  readonly inputIds?: Tensor | undefined;
  /** [batch, tokens, hiddenSize] */
  readonly inputsEmbeds?: Tensor | undefined;
  /** [batch, tokens], 0 (or false) where padded. Default: nothing is. */
  readonly attentionMask?: Tensor | undefined;
  /** Which tokens are visual, bool [batch, tokens]; only hooks and adapters on layers look at it. */
  readonly visualMask?: Tensor | undefined;
}

/** Batch and length of a sequence; checks that ids or vectors are there, and a mask of the same size. */
export function sequenceSize(
  operation: string,
  { inputIds, inputsEmbeds, attentionMask, visualMask }: TokenInput,
  width: number,
): [batch: number, tokens: number] {
  const given = inputIds ?? inputsEmbeds;
  if (!given || (inputIds && inputsEmbeds)) {
    throw new ConfigError({
      operation,
      expected: 'either inputIds or inputsEmbeds',
      received: given ? 'both' : 'neither',
    });
  }
  const { shape } = given;
  const fits = inputIds ? shape.length === 2 : shape.length === 3 && shape[2] === width;
  if (!fits) {
    const expected = inputIds ? 'inputIds [batch, tokens]' : `inputsEmbeds [batch, tokens, ${width}]`;
    throw new ShapeError({ operation, expected, received: [shape] });
  }
  const [batch, tokens] = shape as [number, number];
  requireSize(operation, 'attentionMask', attentionMask, batch, tokens);
  requireSize(operation, 'visualMask', visualMask, batch, tokens);
  return [batch, tokens];
}

/** Checks a tensor that has an element per token. */
export function requireSize(
  operation: string,
  name: string,
  given: Tensor | undefined,
  batch: number,
  tokens: number,
): void {
  if (given && (given.shape.length !== 2 || given.shape[0] !== batch || given.shape[1] !== tokens)) {
    throw new ShapeError({ operation, expected: `${name} [${batch}, ${tokens}]`, received: [given.shape] });
  }
}

/** Whether there is a token, bool [batch, tokens]. */
export function isToken(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? mask : notEqual(mask, 0);
}

const counts = new Map<number, Int32Array>();

/** 0 … tokens − 1 for every row, padding counted: int32 [1, tokens]. */
export function plainPositions(tokens: number): Tensor {
  let values = counts.get(tokens);
  if (!values) {
    values = Int32Array.from({ length: tokens }, (_, position) => position);
    counts.set(tokens, values);
  }
  return tensor(values, [1, tokens]);
}

/** Positions that do not count padding, where they are 1, as Hugging Face's `generate` has them: int32 [batch, tokens]. */
export function maskedPositions(mask: Tensor): Tensor {
  const present = isToken(mask);
  return where(present, sub(cumsum(cast(present, 'int32'), 1), 1), 1);
}
