import type { PrimitiveAttributes, PrimitiveName } from '../../../primitives/attributes.js';
import { argMax } from './arg-max.js';
import { conv2d, convTranspose2d } from './convolution.js';
import { updateSlice } from './indexing.js';
import type { CudaLowering, Lowered, StoredNode } from './lowered.js';
import { matmulBnb4, matmulNBits } from './quantized.js';
import { cumsum } from './scan.js';
import { scatterAddRows } from './scatter.js';
import { scatterAddAlongAxis } from './scatter-lines.js';
import { topKIndices } from './top-k.js';
import { transpose } from './transpose.js';

/** Primitives with kernels of their own. All others are computed by kernels that are written for each graph. */
const lowerings = {
  argMax,
  topKIndices,
  cumsum,
  conv2d,
  convTranspose2d,
  matmulNBits,
  matmulBnb4,
  scatterAddRows,
  scatterAddAlongAxis,
  transpose,
  updateSlice,
} satisfies { readonly [Name in PrimitiveName]?: CudaLowering<Name> };

/** The launches of a primitive with kernels of its own. */
export function lowerOpaque(op: PrimitiveName, node: StoredNode<PrimitiveAttributes[PrimitiveName]>): Lowered {
  const lowering = (lowerings as Partial<Record<PrimitiveName, CudaLowering<never>>>)[op];
  if (!lowering) throw new RangeError(`no kernels for ${op}`);
  return lowering(node as StoredNode<never>);
}
