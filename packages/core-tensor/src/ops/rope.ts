import type { Tensor } from '../tensor.js';
import { add, cos, mul, sin, sub } from './arithmetic.js';
import { cast } from './cast.js';
import { concat, expandDims, sliceAxis } from './rearrange.js';

/** Cosines and sines of the angles by which pairs are rotated, [..., tokens, width / 2]. */
export interface RotaryTables {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/**
 * θ^(−2i/width) for i below width / 2: angle per position of each pair (Su et al. 2021). Rounded to float32 after each
 * step, as PyTorch does: at position 100,000 one unit in the last place turns a pair by half a degree.
 */
export function inverseFrequencies(width: number, theta = 10000): Float32Array {
  return Float32Array.from({ length: width / 2 }, (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / width)));
}

/**
 * Tables for positions [batch, tokens] (int32 or float32) → cos and sin [batch, 1, tokens, width / 2], computed in
 * float32 whatever the model's dtype.
 *
 * @param frequencies [width / 2].
 * @param scaling factor of both tables (YaRN). Default: 1.
 */
export function rotaryTables(
  positions: Tensor,
  frequencies: Tensor,
  { scaling = 1 }: { scaling?: number } = {},
): RotaryTables {
  const angles = expandDims(mul(expandDims(cast(positions, 'float32'), -1), frequencies), 1);
  const scaled = (x: Tensor) => (scaling === 1 ? x : mul(x, scaling));
  return { cos: scaled(cos(angles)), sin: scaled(sin(angles)) };
}

/**
 * Rotates pairs (i, i + width / 2) of each head: the half-split layout of Hugging Face checkpoints, not the
 * interleaved one of Meta's files. x [batch, heads, tokens, width] → same.
 */
export function applyRotary(x: Tensor, { cos: cosine, sin: sine }: RotaryTables): Tensor {
  const half = x.shape.at(-1)! / 2;
  const [first, second] = [sliceAxis(x, -1, 0, half), sliceAxis(x, -1, half)];
  return concat([sub(mul(first, cosine), mul(second, sine)), add(mul(second, cosine), mul(first, sine))], -1);
}
