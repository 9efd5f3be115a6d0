import { broadcastShapes, sameShape, sizeOf } from '../graph/shape.js';
import { sumTo } from '../ops/broadcast.js';
import { pad, reshape, slice, transpose } from '../ops/rearrange.js';
import type { Tensor } from '../tensor.js';
import type { PrimitiveAttributes } from './attributes.js';
import { type Primitive, requireSameDType, requireShapes } from './primitive.js';

export const rearrangementPrimitives = {
  reshape: {
    infer: (inputs, { shape }) => {
      requireShapes(
        sizeOf(shape) === sizeOf(inputs[0]!.shape),
        'reshape',
        `as many elements as [${shape.join(', ')}] has (${sizeOf(shape)})`,
        inputs,
      );
      return { shape, dtype: inputs[0]!.dtype };
    },
    gradient: ({ inputs, cotangent }) => [reshape(cotangent, inputs[0]!.shape)],
  } satisfies Primitive<PrimitiveAttributes['reshape']>,

  transpose: {
    infer: (inputs, { permutation }) => {
      const { shape, dtype } = inputs[0]!;
      requireShapes(
        permutation.length === shape.length && new Set(permutation).size === shape.length,
        'transpose',
        `each axis once, received permutation [${permutation.join(', ')}]`,
        inputs,
      );
      return { shape: permutation.map((axis) => shape[axis]!), dtype };
    },
    gradient: ({ cotangent, attributes: { permutation } }) => {
      const inverse = new Array<number>(permutation.length);
      permutation.forEach((axis, index) => {
        inverse[axis] = index;
      });
      return [transpose(cotangent, inverse)];
    },
  } satisfies Primitive<PrimitiveAttributes['transpose']>,

  broadcastTo: {
    infer: (inputs, { shape }) => {
      requireShapes(
        sameShape(broadcastShapes('broadcastTo', inputs[0]!.shape, shape), shape),
        'broadcastTo',
        `a shape that stretches to [${shape.join(', ')}]`,
        inputs,
      );
      return { shape, dtype: inputs[0]!.dtype };
    },
    gradient: ({ inputs, cotangent }) => [sumTo(cotangent, inputs[0]!.shape)],
  } satisfies Primitive<PrimitiveAttributes['broadcastTo']>,

  /** `starts` and `ends` count from the front and lie within the tensor; steps are positive. */
  slice: {
    infer: (inputs, { starts, ends, steps }) => {
      const { shape, dtype } = inputs[0]!;
      requireShapes(
        starts.length === shape.length &&
          shape.every((size, axis) => starts[axis]! >= 0 && ends[axis]! <= size && steps[axis]! >= 1),
        'slice',
        `bounds within the tensor and positive steps, received starts [${starts.join(', ')}], ends [${ends.join(', ')}]`,
        inputs,
      );
      return { shape: starts.map((start, axis) => slicedSize(start, ends[axis]!, steps[axis]!)), dtype };
    },
    gradient: ({ inputs, cotangent, attributes: { starts, ends, steps } }) => {
      const { shape } = inputs[0]!;
      const spread = spreadSteps(cotangent, steps);
      const after = shape.map((size, axis) => {
        const length = slicedSize(starts[axis]!, ends[axis]!, steps[axis]!);
        return size - starts[axis]! - (length === 0 ? 0 : (length - 1) * steps[axis]! + 1);
      });
      return [pad(spread, { before: starts, after })];
    },
  } satisfies Primitive<PrimitiveAttributes['slice']>,

  pad: {
    infer: (inputs, { before, after }) => {
      const { shape, dtype } = inputs[0]!;
      requireShapes(
        before.length === shape.length &&
          after.length === shape.length &&
          [...before, ...after].every((amount) => Number.isInteger(amount) && amount >= 0),
        'pad',
        `a non-negative amount before and after each axis, received before [${before.join(', ')}], after [${after.join(', ')}]`,
        inputs,
      );
      return { shape: shape.map((size, axis) => before[axis]! + size + after[axis]!), dtype };
    },
    gradient: ({ inputs, cotangent, attributes: { before } }) => {
      const { shape } = inputs[0]!;
      return [
        slice(
          cotangent,
          before,
          shape.map((size, axis) => before[axis]! + size),
        ),
      ];
    },
  } satisfies Primitive<PrimitiveAttributes['pad']>,

  concat: {
    infer: (inputs, { axis }) => {
      const dtype = requireSameDType('concat', inputs);
      const first = inputs[0]!.shape;
      requireShapes(
        inputs.every(
          ({ shape }) => shape.length === first.length && shape.every((size, i) => i === axis || size === first[i]),
        ),
        'concat',
        `shapes that agree on every axis but ${axis}`,
        inputs,
      );
      const total = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0);
      return { shape: first.map((size, i) => (i === axis ? total : size)), dtype };
    },
    gradient: ({ inputs, cotangent, attributes: { axis }, needs }) => {
      let offset = 0;
      return inputs.map((input, index) => {
        const start = offset;
        offset += input.shape[axis]!;
        if (!needs(index)) return undefined;
        const starts = input.shape.map((_, i) => (i === axis ? start : 0));
        return slice(
          cotangent,
          starts,
          input.shape.map((size, i) => starts[i]! + size),
        );
      });
    },
  } satisfies Primitive<PrimitiveAttributes['concat']>,
};

function slicedSize(start: number, end: number, step: number): number {
  return Math.max(0, Math.ceil((end - start) / step));
}

/** Puts `step − 1` zeros between neighbours: [.., n, ..] → [.., (n − 1)·step + 1, ..] on every axis. */
function spreadSteps(x: Tensor, steps: readonly number[]): Tensor {
  let result = x;
  steps.forEach((step, axis) => {
    const size = result.shape[axis]!;
    if (step === 1 || size === 0) return;
    const shape = [...result.shape];
    const split = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]; // [.., n, 1, ..]
    const after = split.map((_, i) => (i === axis + 1 ? step - 1 : 0));
    const padded = pad(reshape(result, split), { before: split.map(() => 0), after }); // [.., n, step, ..]
    const merged = [...shape.slice(0, axis), size * step, ...shape.slice(axis + 1)];
    const ends = merged.map((length, i) => (i === axis ? length - (step - 1) : length));
    result = slice(
      reshape(padded, merged),
      merged.map(() => 0),
      ends,
    );
  });
  return result;
}
