import type { DType } from '../../../dtype.js';
import { type Shape, sizeOf, stridesOf } from '../../../graph/shape.js';
import type { MatmulStep } from '../compiler/program-plan.js';
import { integer } from './launch-text.js';
import { type CudaLowering, type Lowered, nothing, type PlannedLaunch } from './lowered.js';
import { suitsVectors, vectorProduct } from './matvec.js';
import { batchOffset, type Matrices, type Product, productEpilogue, productParameters, strided } from './product.js';
import { narrowStorage, tiledProduct } from './tiled-product.js';

/**
 * A product by kernels of this package: for machines without cuBLASLt, and for products of few rows, where reading the right
 * factor at the speed of memory is all that counts.
 */
export function matmulProduct(product: Product): Lowered {
  const { m, n, batch } = product;
  if (m === 0 || n === 0 || sizeOf(batch) === 0) return nothing;
  return { launches: [suitsVectors(product) ? vectorProduct(product) : tiled(product)], temporaries: [] };
}

function tiled(product: Product): PlannedLaunch {
  const { m, n, k, batch, a, b, out } = product;
  const [rowA, depthA] = a.transpose ? [1, a.rowStride] : [a.rowStride, 1];
  const [depthB, columnB] = b.transpose ? [1, b.rowStride] : [b.rowStride, 1];
  const first = (each: Omit<Matrices, 'transpose'>) =>
    `${batchOffset(batch, each.batchStrides)} + ${integer(each.offset)}`;
  return tiledProduct({
    name: 'matmul',
    m,
    n,
    k,
    batch: sizeOf(batch),
    parameters: productParameters(product),
    prepare: `const int64 firstA = ${first(a)}, firstB = ${first(b)}, firstOut = ${first(out)};`,
    a: `to_float(a[firstA + ${strided('row', rowA)} + ${strided('depth', depthA)}])`,
    b: `to_float(b[firstB + ${strided('depth', depthB)} + ${strided('column', columnB)}])`,
    aAlong: a.transpose ? 'row' : 'depth',
    bAlong: b.transpose ? 'depth' : 'column',
    narrow: narrowStorage(a.dtype, b.dtype),
    store: productEpilogue(product, `firstOut + ${strided('row', out.rowStride)} + column`),
  });
}

/** The product that a step of a plan describes. */
export function productOfStep(step: MatmulStep, dtypeOf: (value: number) => DType): Product {
  const { m, n, k, batch, alpha, bias, residual, activation } = step;
  const matrices = (which: 'a' | 'b' | 'out'): Matrices => {
    const { value, offset, transpose, rowStride, batchStride } = step[which];
    return { dtype: dtypeOf(value), offset, transpose, rowStride, batchStrides: [batchStride] };
  };
  return {
    m,
    n,
    k,
    batch: [batch],
    a: matrices('a'),
    b: matrices('b'),
    out: matrices('out'),
    alpha,
    bias: bias === undefined ? undefined : dtypeOf(bias),
    residual: residual === undefined ? undefined : dtypeOf(residual),
    ...(activation && { activation }),
  };
}

/** The product that a `matmul` node describes, its batch axes broadcast by strides. */
export function productOfNode({
  inputs: [a, b],
  shape,
  dtype,
  attributes,
}: Parameters<CudaLowering<'matmul'>>[0]): Product {
  const { transposeA, transposeB } = attributes;
  const batch = shape.slice(0, -2);
  const [m, n] = shape.slice(-2) as [number, number];
  const k = a!.shape.at(transposeA ? -2 : -1)!;
  const matrices = (from: Shape, held: DType, transpose: boolean): Matrices => {
    const own = from.slice(0, -2);
    const strides = stridesOf(own).map((stride, axis) => (own[axis] === 1 ? 0 : stride * from.at(-1)! * from.at(-2)!));
    return {
      dtype: held,
      offset: 0,
      transpose,
      rowStride: from.at(-1)!,
      batchStrides: [...batch.slice(own.length).map(() => 0), ...strides],
    };
  };
  return {
    m,
    n,
    k,
    batch,
    a: matrices(a!.shape, a!.dtype, transposeA),
    b: matrices(b!.shape, b!.dtype, transposeB),
    out: matrices(shape, dtype, false),
  };
}

/** {@link matmulProduct} of a node. */
export const matmul: CudaLowering<'matmul'> = (node) => matmulProduct(productOfNode(node));
