import type { DType } from '../../../dtype.js';
import type { Shape } from '../../../graph/shape.js';
import type { MatmulStep } from '../compiler/program-plan.js';
import { cTypes } from './c-types.js';
import { float, integer, type Parameter, reads, writes } from './launch-text.js';

/** Elements that lie apart by a number of elements. */
export function strided(index: string, stride: number): string {
  return stride === 0 ? '0' : stride === 1 ? index : `(int64)(${index}) * ${integer(stride)}`;
}

/** Where the matrices of one factor lie; sizes count elements. */
export interface Matrices {
  readonly dtype: DType;
  readonly offset: number;
  /** Stored as [k, m] (left) or [n, k] (right). */
  readonly transpose: boolean;
  readonly rowStride: number;
  /** From one matrix to the next, for each axis of the batch; 0 where it is shared. */
  readonly batchStrides: readonly number[];
}

/** out = activation(alpha · a · b + bias) + residual. Inputs in this order: a, b, bias, residual, those that there are. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: Shape;
  readonly a: Matrices;
  readonly b: Matrices;
  readonly out: Omit<Matrices, 'transpose'>;
  readonly alpha?: number;
  /** Of the bias [n]. */
  readonly bias?: DType | undefined;
  readonly residual?: DType | undefined;
  readonly activation?: MatmulStep['activation'];
}

/** The first matrix's element at `batch`, for each axis of the batch its stride. */
export function batchOffset(batch: Shape, strides: readonly number[]): string {
  let text = '0';
  let inner = 1;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const size = batch[axis]!;
    if (strides[axis] !== 0 && size > 1) {
      const outer = inner === 1 ? 'batch' : `batch / ${inner}`;
      text += ` + ${strided(axis === 0 ? outer : `${outer} % ${size}`, strides[axis]!)}`;
    }
    inner *= size;
  }
  return text;
}

const activations = {
  relu: 'value = fmaxf(value, 0.0f);',
  'gelu-tanh':
    'value = 0.5f * value * (1.0f + tanhf(0.7978845608028654f * (value + 0.044715f * value * value * value)));',
} as const;

/** Statements that store `sum` at the element `at` of the result, in column `column`. */
export function productEpilogue({ alpha = 1, bias, residual, activation, out }: Product, at: string): string {
  return [
    `const int64 at = ${at};`,
    `float value = ${alpha === 1 ? 'sum' : `sum * ${float(alpha)}`}${bias ? ' + to_float(bias[column])' : ''};`,
    activation ? activations[activation] : '',
    `out[at] = from_float<${cTypes[out.dtype]}>(value${residual ? ' + to_float(residual[at])' : ''});`,
  ].join(' ');
}

/** The parameters of a product's kernel. */
export function productParameters({ a, b, bias, residual, out }: Product): Parameter[] {
  return [
    reads(0, cTypes[a.dtype], 'a'),
    reads(1, cTypes[b.dtype], 'b'),
    ...(bias ? [reads(2, cTypes[bias], 'bias')] : []),
    ...(residual ? [reads(bias ? 3 : 2, cTypes[residual], 'residual')] : []),
    writes('out', cTypes[out.dtype], 'out'),
  ];
}
