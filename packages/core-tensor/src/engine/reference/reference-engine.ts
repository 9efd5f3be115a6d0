import { isFloating } from '../../dtype.js';
import type { OperationNode } from '../../graph/graph.js';
import type { Engine } from '../engine.js';
import { createLocalEngine } from '../local-engine.js';
import { elementwiseLowerings } from './elementwise.js';
import { indexingLowerings } from './indexing.js';
import { productLowerings } from './product.js';
import { quantizedLowerings } from './quantized.js';
import { rearrangementLowerings } from './rearrangement.js';
import { reductionLowerings } from './reduction.js';
import { specialLowerings } from './special.js';
import { fromHost, type ReferenceLowerings, type ReferenceValue, settle, toHost } from './value.js';

/** Every primitive; a missing one fails compilation. */
const lowerings: ReferenceLowerings = {
  ...elementwiseLowerings,
  ...reductionLowerings,
  ...productLowerings,
  ...quantizedLowerings,
  ...rearrangementLowerings,
  ...indexingLowerings,
  ...specialLowerings,
};

export interface ReferenceOptions {
  /**
   * Treat all floating-point dtypes as float64: tensors may be uploaded from a Float64Array, nothing is rounded, and
   * downloads are Float64Arrays. For central differences. Default: false.
   */
  readonly float64?: boolean;
}

/** The result of a primitive, computed at once. */
export function computePrimitive(
  node: OperationNode,
  inputs: readonly ReferenceValue[],
  { float64 = false }: ReferenceOptions = {},
): ReferenceValue {
  const { shape, dtype } = node;
  const lowering = lowerings[node.op] as (node: OperationNode, inputs: readonly ReferenceValue[]) => Float64Array;
  const data = lowering(node, inputs);
  return { data: float64 && isFloating(dtype) ? data : settle(data, dtype), shape, dtype };
}

/**
 * Starts the `reference` engine: plain TypeScript in double precision, written to be read and compared with, not to be
 * fast. float32 results are rounded when they are downloaded, 16-bit floats after every operation. int64 values are
 * held exactly up to ±(2⁵³ − 1) and refused beyond.
 */
export async function startReferenceEngine({ float64 = false }: ReferenceOptions = {}): Promise<Engine> {
  return createLocalEngine<ReferenceValue>({
    name: 'reference',
    fromHost: (data, shape, dtype) => fromHost(data, shape, dtype, float64),
    toHost: (value, dtype) => toHost(value, dtype, float64),
    apply: (node, inputs) => computePrimitive(node, inputs, { float64 }),
    share: (value) => value,
    dispose: () => undefined,
  });
}
