import { normalizeAxis, sizeOf } from '../graph/shape.js';
import { add } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import { gather, scatterAddAlongAxis, scatterAddRows, takeAlongAxis, updateSlice } from '../ops/indexing.js';
import { moveAxis, reshape } from '../ops/rearrange.js';
import { tensor, zeros } from '../tensor.js';
import type { PrimitiveAttributes } from './attributes.js';
import { type Primitive, requireIndices, requireSameDType, requireShapes } from './primitive.js';

export const indexingPrimitives = {
  /** Inputs x [..., n, ...] and indices of any shape: the indices' axes take the place of `axis`. */
  gather: {
    infer: (inputs, { axis }) => {
      const [x, indices] = inputs;
      requireIndices('gather', indices!);
      normalizeAxis('gather', axis, x!.shape);
      return { shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)], dtype: x!.dtype };
    },
    gradient: ({ inputs, cotangent, attributes: { axis } }) => {
      const [x, indices] = inputs;
      const outer = x!.shape.slice(0, axis);
      const inner = x!.shape.slice(axis + 1);
      const count = sizeOf(indices!.shape);
      const rows = moveAxis(reshape(cotangent, [...outer, count, ...inner]), axis, 0); // [count, ...outer, ...inner]
      const summed = scatterAddRows(reshape(indices!, [count]), rows, x!.shape[axis]!); // [n, ...outer, ...inner]
      return [moveAxis(summed, 0, axis), undefined];
    },
  } satisfies Primitive<PrimitiveAttributes['gather']>,

  /** Inputs indices [n] and updates [n, ...]: rows [rows, ...] of zeros to which each update is added. */
  scatterAddRows: {
    infer: (inputs, { rows }) => {
      const [indices, updates] = inputs;
      requireIndices('scatterAddRows', indices!);
      requireShapes(
        indices!.shape.length === 1 && updates!.shape.length >= 1 && indices!.shape[0] === updates!.shape[0],
        'scatterAddRows',
        'indices [n] and updates [n, ...]',
        inputs,
      );
      return { shape: [rows, ...updates!.shape.slice(1)], dtype: updates!.dtype };
    },
    gradient: ({ inputs, cotangent }) => [undefined, gather(cotangent, inputs[0]!)],
  } satisfies Primitive<PrimitiveAttributes['scatterAddRows']>,

  /** Inputs x and indices of equal rank, equal on all axes but `axis`. */
  takeAlongAxis: {
    infer: (inputs, { axis }) => {
      const [x, indices] = inputs;
      requireIndices('takeAlongAxis', indices!);
      requireShapes(
        x!.shape.length === indices!.shape.length &&
          x!.shape.every((size, i) => i === axis || size === indices!.shape[i]),
        'takeAlongAxis',
        `x and indices that agree on every axis but ${axis}`,
        inputs,
        'Broadcast one of them first.',
      );
      return { shape: indices!.shape, dtype: x!.dtype };
    },
    gradient: ({ inputs, cotangent, attributes: { axis } }) => [
      scatterAddAlongAxis(inputs[1]!, cotangent, { axis, size: inputs[0]!.shape[axis]! }),
      undefined,
    ],
  } satisfies Primitive<PrimitiveAttributes['takeAlongAxis']>,

  /** Inputs indices and updates of one shape: zeros with `size` elements along `axis`, to which each update is added. */
  scatterAddAlongAxis: {
    infer: (inputs, { axis, size }) => {
      const [indices, updates] = inputs;
      requireIndices('scatterAddAlongAxis', indices!);
      requireShapes(
        indices!.shape.length === updates!.shape.length &&
          indices!.shape.every((each, i) => each === updates!.shape[i]),
        'scatterAddAlongAxis',
        'indices and updates of one shape',
        inputs,
      );
      return { shape: updates!.shape.map((each, i) => (i === axis ? size : each)), dtype: updates!.dtype };
    },
    gradient: ({ inputs, cotangent, attributes: { axis } }) => [undefined, takeAlongAxis(cotangent, inputs[0]!, axis)],
  } satisfies Primitive<PrimitiveAttributes['scatterAddAlongAxis']>,

  /** Inputs x [..., n, ...], update [..., k, ...] and start, a scalar: x with its places start … start + k − 1 replaced. */
  updateSlice: {
    infer: (inputs, { axis }) => {
      const [x, update, start] = inputs;
      requireIndices('updateSlice', start!);
      requireSameDType('updateSlice', [x!, update!]);
      requireShapes(
        sizeOf(start!.shape) === 1 &&
          x!.shape.length === update!.shape.length &&
          x!.shape.every((size, i) => (i === axis ? update!.shape[i]! <= size : size === update!.shape[i])),
        'updateSlice',
        `a scalar start, and an update that agrees with x on every axis but ${axis}, where it is no longer`,
        inputs,
      );
      return x!;
    },
    gradient: ({ inputs: [, update, start], cotangent, attributes: { axis } }) => {
      const places = add(
        reshape(cast(start!, 'int32'), [1]),
        tensor(Int32Array.from({ length: update!.shape[axis]! }, (_, i) => i)),
      );
      return [
        updateSlice(cotangent, zeros(update!.shape, cotangent.dtype), start!, axis),
        gather(cotangent, places, { axis }),
        undefined,
      ];
    },
  } satisfies Primitive<PrimitiveAttributes['updateSlice']>,
};
