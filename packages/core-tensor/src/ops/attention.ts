import { ShapeError } from '../errors.js';
import { type Tensor, tensor } from '../tensor.js';
import { add, mul } from './arithmetic.js';
import { where } from './compare.js';
import { matmul } from './matmul.js';
import { reshape } from './rearrange.js';
import { softmax } from './softmax.js';

/** What a masked score becomes: low enough to vanish in a softmax, finite so that a row without any key is no NaN. */
const masked = -1e9;

/** Options of {@link attention}. */
export interface AttentionOptions {
  /** Where attention is allowed (bool), or what is added to the scores (float); broadcasts to [batch, heads, queries, keys]. */
  readonly mask?: Tensor | undefined;
  /** Query i sees keys up to i + keys − queries only. Default: false. */
  readonly causal?: boolean;
  /** Added to the scores: relative positions. Broadcasts to [batch, heads, queries, keys]. */
  readonly bias?: Tensor | undefined;
  /** Factor of the scores. Default: 1 / √(head width). */
  readonly scale?: number;
  /** Applied to the attention weights, for example dropout. */
  readonly onWeights?: (weights: Tensor) => Tensor;
}

/**
 * Scaled dot-product attention, softmax(q·kᵀ·scale + bias)·v (Vaswani et al. 2017).
 * q [batch, heads, queries, width], k and v [batch, key heads, keys, width] → [batch, heads, queries, value width].
 * With fewer key heads than heads, query head i uses key head ⌊i / (heads / key heads)⌋ (grouped-query attention).
 *
 * @throws ShapeError if heads, widths or numbers of keys do not fit.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkShapes(q, k, v);
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  const [, keyHeads, keys] = k.shape as [number, number, number];
  const group = heads / keyHeads;
  const scaled = mul(q, options.scale ?? 1 / Math.sqrt(width));
  // Queries that share a key head are rows of one product.
  const rows = reshape(scaled, [batch, keyHeads, group * queries, width]);
  let scores = reshape(matmul(rows, k, { transposeB: true }), [batch, heads, queries, keys]);
  if (options.bias) scores = add(scores, options.bias);
  if (options.causal) scores = add(scores, causalBias(queries, keys));
  if (options.mask)
    scores = options.mask.dtype === 'bool' ? where(options.mask, scores, masked) : add(scores, options.mask);
  const weights = softmax(scores, -1);
  const dropped = options.onWeights ? options.onWeights(weights) : weights;
  const mixed = matmul(reshape(dropped, [batch, keyHeads, group * queries, keys]), v);
  return reshape(mixed, [batch, heads, queries, v.shape[3]!]);
}

const causalBiases = new Map<string, Float32Array>();

/** 0 where key j ≤ query i + keys − queries, else a large negative number; [queries, keys]. */
function causalBias(queries: number, keys: number): Tensor {
  const name = `${queries}x${keys}`;
  let bias = causalBiases.get(name);
  if (!bias) {
    bias = new Float32Array(queries * keys);
    for (let query = 0; query < queries; query++)
      bias.fill(masked, query * keys + query + keys - queries + 1, (query + 1) * keys);
    causalBiases.clear();
    causalBiases.set(name, bias);
  }
  return tensor(bias, [queries, keys]);
}

function checkShapes(q: Tensor, k: Tensor, v: Tensor): void {
  const [a, b, c] = [q.shape, k.shape, v.shape];
  const fits =
    [a, b, c].every((shape) => shape.length === 4) &&
    a[0] === b[0] &&
    b[0] === c[0] &&
    b[1] === c[1] &&
    a[1]! % b[1]! === 0 &&
    a[3] === b[3] &&
    b[2] === c[2];
  if (!fits) {
    throw new ShapeError({
      operation: 'attention',
      expected:
        'q [batch, heads, queries, width], k [batch, key heads, keys, width], v [batch, key heads, keys, value width], heads a multiple of key heads',
      received: [a, b, c],
    });
  }
}
