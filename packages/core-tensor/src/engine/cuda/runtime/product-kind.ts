import { byteSize, type DType } from '../../../dtype.js';
import type { MatmulStep, MatrixOperand, PlannedValue } from '../compiler/program-plan.js';
import { computeTypes, dataTypes, epilogues, type MatrixLayout, type ProductKind } from '../libraries/cublas-lt.js';

/** A product as cuBLASLt computes it, and which operand of the step is which of its own. */
export interface ProductPlan {
  readonly kind: ProductKind;
  /** The step's operand that is A; the other is B. */
  readonly first: 'a' | 'b';
}

/** Parts of a step that cuBLASLt is to do after the product itself. */
export interface ProductEpilogue {
  readonly bias: boolean;
  readonly activation: boolean;
  readonly residual: boolean;
}

/**
 * A product of row-major matrices in terms of one of column-major matrices: what is stored by rows is, seen by columns,
 * transposed, and outᵀ = bᵀ · aᵀ. Nothing is moved.
 */
export function productPlan(
  step: MatmulStep,
  values: readonly PlannedValue[],
  epilogue: ProductEpilogue,
  { tf32 }: { readonly tf32: boolean },
): ProductPlan {
  const { a, b, out, m, n, k, batch } = step;
  // A result that is stored transposed is the product of the operands the other way round.
  const [left, right, rows, columns] = out.transpose ? [a, b, m, n] : [b, a, n, m];
  const dtypeOf = ({ value }: MatrixOperand): DType => values[value]!.dtype;
  const layoutOf = (operand: MatrixOperand, height: number, width: number): MatrixLayout => ({
    type: dataType(dtypeOf(operand)),
    rows: height,
    columns: width,
    leading: width === 1 ? Math.max(height, operand.rowStride) : operand.rowStride,
    batch,
    batchStride: operand.batchStride,
    alignment: alignmentOf(operand, values),
  });
  // Stored by rows as [k, n] (b) or [m, k] (a), a matrix is by columns n × k or k × m: as the swapped product needs it.
  const transposeLeft = out.transpose ? !left.transpose : left.transpose;
  const transposeRight = out.transpose ? !right.transpose : right.transpose;
  const result = layoutOf(out, rows, columns);
  const type = dtypeOf(a);
  return {
    first: out.transpose ? 'a' : 'b',
    kind: {
      computeType: tf32 && type === 'float32' ? computeTypes.tf32 : computeTypes.float32,
      transposeA: transposeLeft,
      transposeB: transposeRight,
      a: transposeLeft ? layoutOf(left, k, rows) : layoutOf(left, rows, k),
      b: transposeRight ? layoutOf(right, columns, k) : layoutOf(right, k, columns),
      c: result,
      d: result,
      epilogue: epilogueOf(step, epilogue),
      biasType: epilogue.bias ? dataType(values[step.bias!]!.dtype) : undefined,
    },
  };
}

/** Bytes that an operand's matrices are aligned to: every value's memory is, to 256. */
function alignmentOf({ offset, value, batchStride }: MatrixOperand, values: readonly PlannedValue[]): number {
  const size = byteSize(values[value]!.dtype);
  return [offset * size, batchStride * size].reduce(commonPowerOfTwo, 256);
}

/** The largest power of two that divides a number and is at most `limit`. */
function commonPowerOfTwo(limit: number, bytes: number): number {
  let power = limit;
  while (bytes % power !== 0) power /= 2;
  return power;
}

function epilogueOf({ activation }: MatmulStep, { bias, activation: isActivated }: ProductEpilogue): number {
  const function_ = !isActivated || !activation ? 0 : activation === 'relu' ? epilogues.relu : epilogues.gelu;
  return function_ + (bias ? epilogues.bias : 0) || epilogues.none;
}

function dataType(dtype: DType): number {
  if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'bfloat16') {
    throw new RangeError(`a product of ${dtype} is no step for cuBLASLt`);
  }
  return dataTypes[dtype];
}
