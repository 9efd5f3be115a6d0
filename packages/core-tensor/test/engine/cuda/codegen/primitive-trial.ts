import { convert, type DType, isFloating } from '../../../../src/dtype.js';
import { buildGraph } from '../../../../src/engine/build-graph.js';
import type { StoredNode } from '../../../../src/engine/cuda/codegen/lowered.js';
import { computePrimitive } from '../../../../src/engine/reference/reference-engine.js';
import { fromHost, toHost } from '../../../../src/engine/reference/value.js';
import type { OperationNode } from '../../../../src/graph/graph.js';
import type { PrimitiveAttributes, PrimitiveName } from '../../../../src/primitives/attributes.js';
import { Tensor } from '../../../../src/tensor.js';
import type { Case } from '../../../support/case.js';
import { type HostTensor, materialize } from '../../../support/host-tensor.js';

/** A case of a primitive: its node, its inputs, and what the reference engine makes of them. */
export interface PrimitiveTrial<Name extends PrimitiveName> {
  readonly node: StoredNode<PrimitiveAttributes[Name]>;
  readonly inputs: readonly HostTensor[];
  readonly expected: HostTensor;
}

/** Inputs rounded to a 16-bit storage, as the compiler may hold them. */
export function stored(input: HostTensor, dtype: DType): HostTensor {
  if (input.dtype !== 'float32' || !isFloating(dtype)) return input;
  return { ...input, dtype, data: convert(input.data as Float32Array, 'float32', dtype as 'float16') };
}

/** Values of 16-bit storages as float32. */
export function asFloats(host: HostTensor): HostTensor {
  if (host.dtype !== 'bfloat16' && host.dtype !== 'float16') return host;
  return { ...host, dtype: 'float32', data: convert(host.data as Uint16Array, host.dtype, 'float32') };
}

/**
 * The node that a case records. With `storage`, its float32 values are held in that dtype; the reference computes from the
 * rounded inputs.
 */
export function primitiveTrial<Name extends PrimitiveName>(
  { inputs: specs, fn }: Case,
  storage: DType = 'float32',
): PrimitiveTrial<Name> {
  const hosts = materialize(specs);
  const placeholders = hosts.map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
  const { graph } = buildGraph([fn(...placeholders)].flat() as Tensor[], placeholders, () => ({ kind: 'constant' }));
  const node = graph.nodes[graph.outputs[0]!] as OperationNode<Name>;
  const inputs = hosts.map((host) => stored(host, storage));
  const values = inputs.map((input, index) => {
    const { dtype } = hosts[index]!;
    const data = isFloating(input.dtype)
      ? convert(input.data as Float32Array, input.dtype as 'float32', 'float64')
      : input.data;
    return fromHost(data, input.shape, dtype, true);
  });
  const result = computePrimitive(node as OperationNode, values, { float64: true });
  const dtype = node.dtype === 'float32' ? storage : node.dtype;
  return {
    node: { inputs, shape: node.shape, dtype, attributes: node.attributes as PrimitiveAttributes[Name] },
    inputs,
    expected: { shape: node.shape, dtype, data: toHost(result, dtype, false) },
  };
}
