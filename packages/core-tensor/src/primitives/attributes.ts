import type { DType } from '../dtype.js';
import type { Shape } from '../graph/shape.js';

/** No attributes. */
export type None = Record<never, never>;

/** Padding of an image's borders: top, left, bottom, right. */
export type Padding = readonly [top: number, left: number, bottom: number, right: number];

export interface Conv2dAttributes {
  readonly stride: readonly [number, number];
  readonly padding: Padding;
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

export interface ConvTranspose2dAttributes extends Conv2dAttributes {
  readonly outputPadding: readonly [number, number];
}

export interface MatmulNBitsAttributes {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly accuracyLevel: 1 | 4;
}

export interface MatmulBnb4Attributes {
  readonly format: 'nf4' | 'fp4';
  readonly blockSize: number;
  readonly outputs: number;
  readonly accuracyLevel: 1 | 4;
}

/**
 * The closed set of primitive operations and the attributes of each. Everything else is composed of them; rule tables
 * (shapes, gradients, engine lowerings) are mapped over this interface, so that the type checker names a missing rule.
 */
export interface PrimitiveAttributes {
  // Elementwise, one input.
  neg: None;
  abs: None;
  sign: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  sin: None;
  cos: None;
  tanh: None;
  erf: None;
  sigmoid: None;
  relu: None;
  floor: None;
  ceil: None;
  round: None;
  logicalNot: None;
  cast: { readonly dtype: DType };
  // Elementwise, broadcasting.
  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  maximum: None;
  minimum: None;
  equal: None;
  less: None;
  lessEqual: None;
  logicalAnd: None;
  logicalOr: None;
  where: None;
  // Reductions and scans.
  reduceSum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMax: { readonly axes: readonly number[]; readonly keepDims: boolean };
  argMax: { readonly axis: number; readonly keepDims: boolean };
  topKIndices: { readonly count: number; readonly largest: boolean };
  cumsum: { readonly axis: number; readonly reverse: boolean };
  softmax: { readonly axis: number };
  logSoftmax: { readonly axis: number };
  layerNorm: { readonly epsilon: number };
  rmsNorm: { readonly epsilon: number };
  // Products.
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  conv2d: Conv2dAttributes;
  convTranspose2d: ConvTranspose2dAttributes;
  matmulNBits: MatmulNBitsAttributes;
  matmulBnb4: MatmulBnb4Attributes;
  // Rearrangement.
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  broadcastTo: { readonly shape: Shape };
  slice: { readonly starts: readonly number[]; readonly ends: readonly number[]; readonly steps: readonly number[] };
  pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };
  concat: { readonly axis: number };
  // Indexing.
  gather: { readonly axis: number };
  scatterAddRows: { readonly rows: number };
  takeAlongAxis: { readonly axis: number };
  scatterAddAlongAxis: { readonly axis: number; readonly size: number };
  updateSlice: { readonly axis: number };
  // Randomness and ordering.
  randomUniform: { readonly shape: Shape; readonly stream: number };
  barrier: None;
  stopGradient: None;
}

/** Name of a primitive operation. */
export type PrimitiveName = keyof PrimitiveAttributes;
