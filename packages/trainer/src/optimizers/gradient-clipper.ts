import {
  add,
  ConfigError,
  compileUpdate,
  div,
  full,
  minimum,
  mul,
  sqrt,
  sum,
  type Tensor,
  zeros,
} from '@ocelli/core-tensor';

export interface GradientClipperOptions {
  /** Largest L2 norm of all gradients together, or null to leave them as they are. */
  readonly maximumNorm: number | null;
  /** Factor that the gradients get anyway, before the norm is measured: 1 / n averages n summed gradients. Default: 1. */
  readonly factor?: number;
}

/** Results of a {@link GradientClipper}: scalars on the engine, written over by its next call but one. */
export interface MeasuredGradients {
  /** L2 norm of all gradients together, after the factor and before clipping. */
  readonly norm: Tensor;
  /** What the gradients are to be multiplied by. */
  readonly scale: Tensor;
}

/** Measures gradients without waiting for the engine. */
export type GradientClipper = (grads: Readonly<Record<string, Tensor>>) => Promise<MeasuredGradients>;

/**
 * Global-norm clipping as `torch.nn.utils.clip_grad_norm_` does it: one L2 norm over all gradients,
 * scale = min(1, maximum / (norm + 10⁻⁶)). Norm and scale stay on the engine and go straight into the optimizer's update.
 *
 * @throws ConfigError if the largest norm is not positive.
 */
export function gradientClipper({ maximumNorm, factor = 1 }: GradientClipperOptions): GradientClipper {
  if (maximumNorm !== null && !(maximumNorm > 0)) {
    throw new ConfigError({
      operation: 'gradientClipper',
      expected: 'a positive maximumNorm, or null',
      received: String(maximumNorm),
    });
  }
  const results = [0, 1].map(() => ({ norm: zeros([]), scale: zeros([]) }));
  let calls = 0;
  const measure = compileUpdate((gradients) => {
    const total = mul(sqrt(gradients.map(sumOfSquares).reduce(add)), factor);
    if (maximumNorm === null) return [total, full([], factor)];
    return [total, mul(minimum(div(maximumNorm, add(total, 1e-6)), 1), factor)];
  });
  return async (grads) => {
    if (Object.keys(grads).length === 0) {
      throw new ConfigError({
        operation: 'gradientClipper',
        expected: 'at least one gradient',
        received: 'none',
        remedy: 'Unfreeze the parameters to train.',
      });
    }
    const { norm, scale } = results[calls++ % results.length]!;
    await measure(Object.values(grads), [norm, scale]);
    return { norm, scale };
  };
}

/** Row by row first, which keeps the rounding of long sums small. */
function sumOfSquares(x: Tensor): Tensor {
  const squares = mul(x, x);
  return sum(x.shape.length > 1 ? sum(squares, { axes: -1 }) : squares);
}
