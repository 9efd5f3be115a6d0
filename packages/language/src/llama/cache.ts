import {
  add,
  broadcastTo,
  cast,
  concat,
  less,
  lessEqual,
  logicalAnd,
  matmul,
  mul,
  ones,
  pad,
  reshape,
  sliceAxis,
  softmax,
  type Tensor,
  updateSlice,
  where,
} from '@ocelli/core-tensor';
import { isToken, plainPositions } from './input.js';

/**
 * What a decoder has read: keys and values in buffers of a fixed number of places, the capacity, so that one compiled
 * program serves every step. All rows take the same place for the same step. A compiled step that is given a cache for
 * good (`donate`) writes over its places instead of copying it.
 */
export interface KeyValueCache {
  /** Rotated keys, per layer [batch, kvHeads, capacity, headDim]. */
  readonly keys: readonly Tensor[];
  /** Per layer [batch, kvHeads, capacity, headDim]. */
  readonly values: readonly Tensor[];
  /** 0 where the prompt is padded, else 1: int32 [batch, capacity]. */
  readonly visible: Tensor;
  /** Number of places taken, an int32 scalar. */
  readonly length: Tensor;
  /** Position of the next token: int32 [batch]. */
  readonly nextPosition: Tensor;
}

/** Low enough to vanish in a softmax. */
export const masked = -1e9;

/** Keys or values of a prompt with room behind. x [batch, kvHeads, tokens, headDim] → [batch, kvHeads, capacity, headDim] */
export function withRoom(x: Tensor, capacity: number): Tensor {
  return pad(x, { before: [0, 0, 0, 0], after: [0, 0, capacity - x.shape[2]!, 0] });
}

/** The `visible` of a cache after a prompt [batch, tokens]. */
export function visiblePlaces(
  mask: Tensor | undefined,
  batch: number,
  { tokens, capacity }: { tokens: number; capacity: number },
): Tensor {
  if (!mask) return ones([batch, capacity], 'int32');
  return concat([cast(isToken(mask), 'int32'), ones([batch, capacity - tokens], 'int32')], 1);
}

/** Keys or values with those of new tokens [batch, kvHeads, tokens, headDim] behind. */
export function append(x: Tensor, fresh: Tensor, { length }: KeyValueCache): Tensor {
  return updateSlice(x, fresh, length, 2);
}

/**
 * Where new tokens may look: at what the cache holds, and at each other causally.
 * → bool [batch, 1, tokens, capacity + tokens]
 */
export function decodingMask({ visible, length }: KeyValueCache, tokens: number): Tensor {
  const [batch, capacity] = visible.shape as [number, number];
  const held = logicalAnd(isToken(visible), less(plainPositions(capacity), length)); // [batch, capacity]
  const earlier = broadcastTo(reshape(held, [batch, 1, 1, capacity]), [batch, 1, tokens, capacity]);
  const causal = lessEqual(plainPositions(tokens), reshape(plainPositions(tokens), [tokens, 1])); // [tokens, tokens]
  return concat([earlier, broadcastTo(causal, [batch, 1, tokens, tokens])], -1);
}

/** Keys and values of one layer. */
interface KeysAndValues {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/**
 * Attention of new tokens to the cache and to each other, without putting the two together.
 * queries [batch, heads, tokens, headDim], fresh keys and values [batch, kvHeads, tokens, headDim] → as queries
 */
export function attendCached(queries: Tensor, held: KeysAndValues, fresh: KeysAndValues, mask: Tensor): Tensor {
  const [batch, heads, tokens, width] = queries.shape as [number, number, number, number];
  const [, keyHeads, capacity] = held.keys.shape as [number, number, number];
  // Queries that share a key head are rows of one product.
  const shared = [batch, keyHeads, (heads / keyHeads) * tokens];
  const rows = reshape(mul(queries, 1 / Math.sqrt(width)), [...shared, width]);
  const products = [held, fresh].map(({ keys }) => matmul(rows, keys, { transposeB: true }));
  const scores = reshape(concat(products, -1), [batch, heads, tokens, capacity + tokens]);
  const weights = reshape(softmax(where(mask, scores, masked), -1), [...shared, capacity + tokens]);
  const mixed = add(
    matmul(sliceAxis(weights, -1, 0, capacity), held.values),
    matmul(sliceAxis(weights, -1, capacity), fresh.values),
  );
  return reshape(mixed, [batch, heads, tokens, width]);
}
