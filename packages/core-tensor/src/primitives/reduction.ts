import { DTypeError } from '../errors.js';
import { normalizeAxis, type Shape } from '../graph/shape.js';
import { add, div, exp, maximum, mul, reciprocal, sqrt, sub } from '../ops/arithmetic.js';
import { broadcastTo } from '../ops/broadcast.js';
import { cast } from '../ops/cast.js';
import { equal } from '../ops/compare.js';
import { reshape } from '../ops/rearrange.js';
import { mean, sum } from '../ops/reduce.js';
import { cumsum } from '../ops/scan.js';
import type { Tensor } from '../tensor.js';
import type { PrimitiveAttributes } from './attributes.js';
import { type Primitive, requireFloat, requireSameDType, requireShapes } from './primitive.js';

type Reduce = PrimitiveAttributes['reduceSum'];

function reducedShape(shape: Shape, { axes, keepDims }: Reduce): number[] {
  return keepDims
    ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** Up to this width, nearly all of a layer norm's gradient may cancel: over two elements, all but ε / (σ² + ε) of it. */
const fewElements = 8;

/**
 * What remains of a cotangent behind a layer norm, before it is multiplied with 1 / √(σ² + ε): the part along the mean is
 * lost, that along the normalized elements shrinks to `shrunk` = ε / (σ² + ε), the rest stays. The parts are taken out twice,
 * as in Gram-Schmidt, so that rounding does not exceed what is left.
 */
function throughFewElements(cotangent: Tensor, normalized: Tensor, shrunk: Tensor): Tensor {
  const last = { axes: -1, keepDims: true };
  const length = maximum(mean(mul(normalized, normalized), last), 1e-30);
  const along = (x: Tensor) => mul(normalized, div(mean(mul(x, normalized), last), length));
  const across = (x: Tensor) => {
    const aside = sub(x, along(x));
    return sub(aside, mean(aside, last));
  };
  return add(across(across(cotangent)), mul(along(sub(cotangent, mean(cotangent, last))), shrunk));
}

/** Puts the reduced axes back, with size 1. */
function restoreAxes(x: Tensor, shape: Shape, { axes, keepDims }: Reduce): Tensor {
  return keepDims
    ? x
    : reshape(
        x,
        shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
      );
}

function checkAxis(operation: string, axis: number, shape: Shape): void {
  normalizeAxis(operation, axis, shape);
}

export const reductionPrimitives = {
  reduceSum: {
    infer: ([x], attributes) => {
      if (x!.dtype === 'bool') {
        throw new DTypeError({
          operation: 'sum',
          expected: 'a number dtype',
          received: 'bool',
          remedy: "Count with sum(cast(x, 'int32')).",
        });
      }
      for (const axis of attributes.axes) checkAxis('sum', axis, x!.shape);
      return { shape: reducedShape(x!.shape, attributes), dtype: x!.dtype };
    },
    gradient: ({ inputs, cotangent, attributes }) => {
      const { shape } = inputs[0]!;
      return [broadcastTo(restoreAxes(cotangent, shape, attributes), shape)];
    },
  } satisfies Primitive<Reduce>,

  reduceMax: {
    infer: (inputs, attributes) => {
      const x = inputs[0]!;
      for (const axis of attributes.axes) checkAxis('max', axis, x.shape);
      requireShapes(
        attributes.axes.every((axis) => x.shape[axis]! > 0),
        'max',
        'at least one element along each reduced axis',
        inputs,
      );
      return { shape: reducedShape(x.shape, attributes), dtype: x.dtype };
    },
    // Tied maxima share the gradient evenly, as PyTorch's amax.
    gradient: ({ inputs, output, cotangent, attributes }) => {
      const x = inputs[0]!;
      const isMaximum = cast(equal(x, restoreAxes(output, x.shape, attributes)), x.dtype);
      const ties = sum(isMaximum, { axes: attributes.axes, keepDims: true });
      return [mul(isMaximum, div(restoreAxes(cotangent, x.shape, attributes), ties))];
    },
  } satisfies Primitive<Reduce>,

  argMax: {
    infer: (inputs, { axis, keepDims }) => {
      const x = inputs[0]!;
      checkAxis('argMax', axis, x.shape);
      requireShapes(x.shape[axis]! > 0, 'argMax', 'at least one element along the axis', inputs);
      return { shape: reducedShape(x.shape, { axes: [axis], keepDims }), dtype: 'int32' as const };
    },
  } satisfies Primitive<PrimitiveAttributes['argMax']>,

  topKIndices: {
    infer: (inputs, { count }) => {
      const { shape } = inputs[0]!;
      requireShapes(
        shape.length > 0 && Number.isInteger(count) && count >= 1 && count <= shape.at(-1)!,
        'topK',
        `a count between 1 and the size of the last axis, received count ${count}`,
        inputs,
      );
      return { shape: [...shape.slice(0, -1), count], dtype: 'int32' as const };
    },
  } satisfies Primitive<PrimitiveAttributes['topKIndices']>,

  cumsum: {
    infer: ([x], { axis }) => {
      checkAxis('cumsum', axis, x!.shape);
      return x!;
    },
    gradient: ({ cotangent, attributes: { axis, reverse } }) => [cumsum(cotangent, axis, { reverse: !reverse })],
  } satisfies Primitive<PrimitiveAttributes['cumsum']>,

  softmax: {
    infer: (inputs, { axis }) => {
      requireFloat('softmax', inputs);
      checkAxis('softmax', axis, inputs[0]!.shape);
      return inputs[0]!;
    },
    gradient: ({ output: y, cotangent: dy, attributes: { axis } }) => {
      const product = mul(dy, y);
      return [sub(product, mul(y, sum(product, { axes: axis, keepDims: true })))];
    },
  } satisfies Primitive<PrimitiveAttributes['softmax']>,

  logSoftmax: {
    infer: (inputs, { axis }) => {
      requireFloat('logSoftmax', inputs);
      checkAxis('logSoftmax', axis, inputs[0]!.shape);
      return inputs[0]!;
    },
    gradient: ({ output: y, cotangent: dy, attributes: { axis } }) => [
      sub(dy, mul(exp(y), sum(dy, { axes: axis, keepDims: true }))),
    ],
  } satisfies Primitive<PrimitiveAttributes['logSoftmax']>,

  /** Inputs x [..., width], weight [width], bias [width]. */
  layerNorm: {
    infer: (inputs) => {
      requireFloat('layerNorm', inputs);
      requireSameDType('layerNorm', inputs);
      const [x, weight, bias] = inputs;
      const width = x!.shape.at(-1);
      requireShapes(
        [weight, bias].every((each) => each!.shape.length === 1 && each!.shape[0] === width),
        'layerNorm',
        'x [..., width], weight [width] and bias [width]',
        inputs,
      );
      return x!;
    },
    gradient: ({ inputs: [x, weight], cotangent: dy, attributes: { epsilon }, needs }) => {
      const last = { axes: -1, keepDims: true };
      const centred = sub(x!, mean(x!, last));
      const inverse = reciprocal(sqrt(add(mean(mul(centred, centred), last), epsilon))); // [..., 1]
      const normalized = mul(centred, inverse);
      const rows = x!.shape.slice(0, -1).map((_, axis) => axis);
      let dx: Tensor | undefined;
      if (needs(0)) {
        const scaled = mul(dy, weight!);
        const spread =
          x!.shape.at(-1)! <= fewElements
            ? throughFewElements(scaled, normalized, mul(mul(inverse, inverse), epsilon))
            : sub(sub(scaled, mean(scaled, last)), mul(normalized, mean(mul(scaled, normalized), last)));
        dx = mul(spread, inverse);
      }
      return [
        dx,
        needs(1) ? sum(mul(dy, normalized), { axes: rows }) : undefined,
        needs(2) ? sum(dy, { axes: rows }) : undefined,
      ];
    },
  } satisfies Primitive<PrimitiveAttributes['layerNorm']>,

  /** Inputs x [..., width], weight [width]. */
  rmsNorm: {
    infer: (inputs) => {
      requireFloat('rmsNorm', inputs);
      requireSameDType('rmsNorm', inputs);
      const [x, weight] = inputs;
      requireShapes(
        weight!.shape.length === 1 && x!.shape.at(-1) === weight!.shape[0],
        'rmsNorm',
        'x [..., width] and weight [width]',
        inputs,
      );
      return x!;
    },
    gradient: ({ inputs: [x, weight], cotangent: dy, attributes: { epsilon }, needs }) => {
      const last = { axes: -1, keepDims: true };
      const inverse = reciprocal(sqrt(add(mean(mul(x!, x!), last), epsilon))); // [..., 1]
      const rows = x!.shape.slice(0, -1).map((_, axis) => axis);
      const normalized = mul(x!, inverse);
      let dx: Tensor | undefined;
      if (needs(0)) {
        const scaled = mul(dy, weight!);
        dx = mul(sub(scaled, mul(normalized, mean(mul(scaled, normalized), last))), inverse);
      }
      return [dx, needs(1) ? sum(mul(dy, normalized), { axes: rows }) : undefined];
    },
  } satisfies Primitive<PrimitiveAttributes['rmsNorm']>,
};
