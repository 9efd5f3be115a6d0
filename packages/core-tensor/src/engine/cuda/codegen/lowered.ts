import type { DType } from '../../../dtype.js';
import type { Shape } from '../../../graph/shape.js';
import type { PrimitiveAttributes, PrimitiveName } from '../../../primitives/attributes.js';
import type { Kernel } from '../compiler/program-plan.js';

/** A value as kernels find it: dense, row-major, floats perhaps narrower than the graph has them. */
export interface Stored {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What a pointer of a launch points to: an input by its place, a result, memory for the time between the launches. */
export type Role = number | 'out' | `out${number}` | `temporary${number}` | 'failure';

/** A launch whose values are still named by their roles; the compiler binds them. */
export interface PlannedLaunch {
  readonly kernel: Kernel;
  readonly grid: readonly [x: number, y: number, z: number];
  readonly block: readonly [x: number, y: number, z: number];
  /** Dynamic shared memory in bytes; static arrays are not counted. */
  readonly sharedBytes: number;
  /** In the order of the kernel's parameters. */
  readonly roles: readonly Role[];
  /** Those of the roles that the kernel writes, without `failure`. */
  readonly writes: readonly Role[];
}

/** Launches, in order, and the memory that they share. */
export interface Lowered {
  readonly launches: readonly PlannedLaunch[];
  readonly temporaries: readonly Stored[];
}

/** An operation with how its values are stored. */
export interface StoredNode<Attributes> {
  readonly inputs: readonly Stored[];
  readonly shape: Shape;
  readonly dtype: DType;
  readonly attributes: Attributes;
}

/** From a primitive's node to launches; none for an empty result. */
export type CudaLowering<Name extends PrimitiveName> = (node: StoredNode<PrimitiveAttributes[Name]>) => Lowered;

/** Nothing to launch. */
export const nothing: Lowered = { launches: [], temporaries: [] };
