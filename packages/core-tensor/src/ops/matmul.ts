import { record, type Tensor } from '../tensor.js';

/** Options of {@link matmul}. */
export interface MatmulOptions {
  /** Use a with its last two axes exchanged. */
  readonly transposeA?: boolean;
  /** Use b with its last two axes exchanged. */
  readonly transposeB?: boolean;
}

/**
 * Matrix product. a [..., m, k] · b [..., k, n] → [..., m, n]; leading axes broadcast.
 *
 * @throws ShapeError if the inner sizes differ or an input has fewer than two axes.
 */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  return record('matmul', [a, b], { transposeA, transposeB });
}
