import { type AnyTypedArray, convert, type TypedArrayOf } from '../../dtype.js';
import { computePrimitive } from '../../engine/reference/reference-engine.js';
import { fromHost, type ReferenceValue, toHost } from '../../engine/reference/value.js';
import type { OperationNode } from '../../graph/graph.js';
import { sizeOf } from '../../graph/shape.js';
import type { PrimitiveName } from '../../primitives/attributes.js';
import type { Operation, Tensor } from '../../tensor.js';
import { saturated } from './whole-number.js';

/** Results of more elements are left to the engine. */
const largestResult = 65_536;

/** Constants of more elements are not looked into. */
const largestConstant = 2 ** 20;

/** No shape depends on them, and they take long. */
const heavy: ReadonlySet<PrimitiveName> = new Set(['conv2d', 'convTranspose2d', 'matmulNBits', 'matmulBnb4']);

/**
 * Values that follow from shapes and constants alone, computed while recording: a graph computes most of its shapes
 * itself, from the shapes of its arguments.
 */
export class KnownValues {
  private readonly values = new WeakMap<Tensor, ReferenceValue | null>();
  private readonly constants = new Map<Tensor, () => Tensor>();

  /** @param unknown tensors whose values may differ from call to call although they are there: the arguments */
  constructor(unknown: Iterable<Tensor>) {
    for (const tensor of unknown) this.values.set(tensor, null);
  }

  /** Says what the values of a parameter are, which is looked up only if a shape depends on them. */
  addConstant(parameter: Tensor, read: () => Tensor): void {
    this.constants.set(parameter, read);
  }

  /** The elements of a tensor as numbers, or undefined where they are not known. */
  numbersOf(tensor: Tensor): Float64Array | undefined {
    return this.valueOf(tensor)?.data;
  }

  /** Whether nothing is left to compute of a tensor, and its values are not those of an argument or a parameter. */
  isConstant(tensor: Tensor): boolean {
    return tensor.source.kind === 'host' && this.values.get(tensor) !== null;
  }

  /** Puts the values of a tensor in the place of how they are computed, where they are known and few. */
  settle(tensor: Tensor): void {
    if (tensor.source.kind !== 'operation' || sizeOf(tensor.shape) > largestResult) return;
    const value = this.valueOf(tensor);
    if (value) tensor.source = { kind: 'host', data: toHost(value, tensor.dtype, false) };
  }

  private valueOf(tensor: Tensor): ReferenceValue | undefined {
    const known = this.values.get(tensor);
    if (known !== undefined) return known ?? undefined;
    const value = this.compute(tensor);
    this.values.set(tensor, value ?? null);
    return value;
  }

  private compute(tensor: Tensor): ReferenceValue | undefined {
    const { source, shape } = tensor;
    if (sizeOf(shape) > largestConstant) return undefined;
    if (source.kind === 'host') return held(source.data, tensor);
    if (source.kind === 'parameter') {
      const read = this.constants.get(tensor);
      return read && this.valueOf(read());
    }
    if (source.kind !== 'operation' || sizeOf(shape) > largestResult || heavy.has(source.op)) return undefined;
    const inputs: ReferenceValue[] = [];
    for (const input of source.inputs) {
      const value = this.valueOf(input);
      if (!value) return undefined;
      inputs.push(value);
    }
    const value = computePrimitive(nodeOf(tensor, source), inputs);
    return tensor.dtype === 'float32' ? { ...value, data: Float64Array.from(value.data, Math.fround) } : value;
  }
}

/** Integers beyond what numbers hold exactly stand for "to the end", and stay as large as they can be. */
function held(data: AnyTypedArray, { shape, dtype }: Tensor): ReferenceValue {
  if (dtype !== 'int64') return fromHost(data, shape, dtype, false);
  const numbers = convert(data as TypedArrayOf<'int64'>, 'int64', 'float64').map(saturated);
  return { data: numbers, shape, dtype };
}

function nodeOf({ shape, dtype }: Tensor, { op, attributes }: Operation): OperationNode {
  return { kind: 'operation', op, inputs: [], attributes, shape, dtype } as unknown as OperationNode;
}
