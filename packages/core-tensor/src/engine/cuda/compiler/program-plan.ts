import type { AnyTypedArray, DType } from '../../../dtype.js';
import type { Shape } from '../../../graph/shape.js';

/**
 * What a graph becomes before any device is touched: values, where each lives, and the steps that compute them. Plain data,
 * so that it is checked, printed and tested without a card.
 */
export interface ProgramPlan {
  readonly values: readonly PlannedValue[];
  /** Made once, when the program is prepared: 16-bit copies of frozen weights, arranged constants. */
  readonly preparation: readonly Step[];
  /** Made at every run, in this order. */
  readonly steps: readonly Step[];
  /** The value of each output; several outputs may name one value, and an output may be an input. */
  readonly outputs: readonly number[];
  /** Bytes of the arena that intermediate values share. */
  readonly arenaBytes: number;
}

/** A value that some step reads or writes: dense, row-major. */
export interface PlannedValue {
  readonly shape: Shape;
  /** How its elements are held, which for intermediates may be narrower than what the graph says. */
  readonly dtype: DType;
  readonly place: Place;
}

/** Where a value lives. Offsets and sizes are in bytes. */
export type Place =
  /** An argument, never written, except where the caller gives the same buffer for a result. */
  | { readonly kind: 'input'; readonly position: number }
  | { readonly kind: 'constant'; readonly data: AnyTypedArray }
  | { readonly kind: 'resident'; readonly buffer: number; readonly version: number }
  /** Held by the program from its preparation to its release. */
  | { readonly kind: 'prepared' }
  /** As `prepared`; values of one key are the same in all programs, computed from one resident by one kernel. */
  | { readonly kind: 'shared'; readonly key: string }
  /** Memory of its own, given to the caller as result `index`. */
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'arena'; readonly offset: number };

/** One thing that the device is told to do. */
export type Step = KernelStep | MatmulStep | FillStep | CopyStep;

/** A function in CUDA C++. Shapes are part of its text, so that layers of one kind share one. */
export interface Kernel {
  /** Name of the `extern "C" __global__` function. */
  readonly name: string;
  /** Its text, without the prelude (see `preludeSource`). */
  readonly source: string;
}

/** A kernel's launch. Every argument is a pointer, so that a launch is known by its pointers alone. */
export interface KernelStep {
  readonly kind: 'kernel';
  readonly kernel: Kernel;
  readonly grid: readonly [x: number, y: number, z: number];
  readonly block: readonly [x: number, y: number, z: number];
  /** Dynamic shared memory in bytes; static arrays are not counted. */
  readonly sharedBytes: number;
  /** Values by index, in the order of the parameters; `failure` is the engine's word for indices out of range. */
  readonly arguments: readonly (number | 'failure')[];
  /** Which of the values are written. */
  readonly writes: readonly number[];
}

/**
 * out = activation(a · b + bias) + residual, for `batch` pairs of matrices; sums are made in float32. Sizes and strides
 * count elements.
 */
export interface MatmulStep {
  readonly kind: 'matmul';
  readonly a: MatrixOperand;
  readonly b: MatrixOperand;
  readonly out: MatrixOperand;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly alpha: number;
  /** [n], of the dtype of `out` or float32. */
  readonly bias?: number;
  /** Added to the product; of the shape and dtype of `out`. */
  readonly residual?: number;
  readonly activation?: 'relu' | 'gelu-tanh';
}

/** Matrices of a product, row-major as they are stored. */
export interface MatrixOperand {
  readonly value: number;
  /** First element. */
  readonly offset: number;
  /** Stored as [k, m] (a) or [n, k] (b) instead of [m, k] and [k, n]. */
  readonly transpose: boolean;
  /** From a stored row to the next. */
  readonly rowStride: number;
  /** From a matrix to the next; 0 where all pairs share one. */
  readonly batchStride: number;
}

/** Sets every byte. */
export interface FillStep {
  readonly kind: 'fill';
  readonly value: number;
  readonly byte: number;
}

/** Copies all bytes of a value to another of the same size. */
export interface CopyStep {
  readonly kind: 'copy';
  readonly from: number;
  readonly to: number;
  /** Left out where both turn out to be the same memory: an argument that the caller lets be written over. */
  readonly unlessSame?: boolean;
}
