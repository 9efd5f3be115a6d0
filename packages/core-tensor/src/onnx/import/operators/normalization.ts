import { normalizeAxis, sizeOf } from '../../../graph/shape.js';
import { abs, add, div, maximum, mul, rsqrt, sqrt, square, sub } from '../../../ops/arithmetic.js';
import { cast } from '../../../ops/cast.js';
import { equal, where } from '../../../ops/compare.js';
import { batchNorm, groupNorm, layerNorm, rmsNorm } from '../../../ops/normalization.js';
import { repeatInterleave, reshape } from '../../../ops/rearrange.js';
import { mean, sum } from '../../../ops/reduce.js';
import type { Tensor } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';

/** Statistics are computed in float32 whatever the type of x. */
function inFloat32(x: Tensor, fn: (x: Tensor) => Tensor): Tensor {
  return cast(fn(cast(x, 'float32')), x.dtype);
}

interface LayerNormParts {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly axis: number;
  readonly epsilon: number;
}

/** Over the axes from the given one on; gain and shift may have fewer axes. */
function normalized({ x, weight, bias, axis, epsilon }: LayerNormParts): Tensor {
  const inner = x.shape.slice(axis);
  const isFull = (each: Tensor | undefined) => each === undefined || each.size === sizeOf(inner);
  const options = { epsilon, axes: inner.length };
  const shift = bias && cast(bias, 'float32');
  const gain = cast(weight, 'float32');
  if (isFull(weight) && isFull(bias)) {
    return inFloat32(x, (floats) => layerNorm(floats, { ...options, weight: gain, bias: shift }));
  }
  return inFloat32(x, (floats) => {
    const y = mul(layerNorm(floats, options), gain);
    return shift ? add(y, shift) : y;
  });
}

/** Mean and 1 / deviation beside the result, where a node wants them. */
function statistics({ x, axis, epsilon }: LayerNormParts): readonly [mean: Tensor, inverseDeviation: Tensor] {
  const floats = cast(x, 'float32');
  const over = { axes: x.shape.flatMap((_, each) => (each >= axis ? [each] : [])), keepDims: true };
  const centre = mean(floats, over);
  return [centre, rsqrt(add(mean(square(sub(floats, centre)), over), epsilon))];
}

const layerNormalization: Operator = (node) => {
  const [x, weight, bias] = [node.input(0), node.input(1), node.optional(2)];
  const axis = normalizeAxis('LayerNormalization', node.int('axis', -1), x.shape);
  node.ignore('stash_type');
  const parts = { x, weight, bias, axis, epsilon: node.float('epsilon', 1e-5) };
  return node.outputCount > 1 ? [normalized(parts), ...statistics(parts)] : normalized(parts);
};

function rootMeanSquare(node: NodeContext, x: Tensor, weight: Tensor): Tensor {
  const axis = normalizeAxis('SimplifiedLayerNormalization', node.int('axis', -1), x.shape);
  const epsilon = node.float('epsilon', 1e-5);
  const inner = sizeOf(x.shape.slice(axis));
  if (weight.size !== inner) throw node.refusal(`a gain of ${inner} elements`, String(weight));
  return inFloat32(x, (floats) => {
    const rows = reshape(floats, [...x.shape.slice(0, axis), inner]);
    return reshape(rmsNorm(rows, cast(reshape(weight, [inner]), 'float32'), { epsilon }), x.shape);
  });
}

const simplifiedLayerNormalization: Operator = (node) => {
  node.ignore('stash_type');
  return rootMeanSquare(node, node.input(0), node.input(1));
};

const batchNormalization: Operator = (node) => {
  const x = node.input(0);
  const [weight, bias] = [node.input(1), node.input(2)];
  const [runningMean, runningVariance] = [node.input(3), node.input(4)];
  node.ignore('momentum');
  if (node.flag('training_mode')) {
    throw node.refusal('a model for inference', 'training_mode', 'Export the model in evaluation mode.');
  }
  return batchNorm(x, { weight, bias, runningMean, runningVariance, epsilon: node.float('epsilon', 1e-5) }).y;
};

const instanceNormalization: Operator = (node) => {
  const [x, weight, bias] = [node.input(0), node.input(1), node.input(2)];
  return groupNorm(x, x.shape[1]!, { weight, bias, epsilon: node.float('epsilon', 1e-5) });
};

/** Gain and shift are those of channels; up to opset 20 those of groups. */
const groupNormalization: Operator = (node) => {
  const x = node.input(0);
  const groups = node.int('num_groups');
  node.ignore('stash_type');
  const perChannel = (values: Tensor) =>
    node.opset >= 21 ? values : repeatInterleave(values, x.shape[1]! / groups, 0);
  const [weight, bias] = [perChannel(node.input(1)), perChannel(node.input(2))];
  return groupNorm(x, groups, { weight, bias, epsilon: node.float('epsilon', 1e-5) });
};

const lpNormalization: Operator = (node) => {
  const x = node.input(0);
  const over = { axes: node.int('axis', -1), keepDims: true };
  const order = node.int('p', 2);
  if (order !== 1 && order !== 2) throw node.refusal('p of 1 or 2', String(order));
  const length = order === 1 ? sum(abs(x), over) : sqrt(sum(square(x), over));
  return div(x, where(equal(length, 0), 1, length));
};

const meanVarianceNormalization: Operator = (node) => {
  const x = node.input(0);
  const over = { axes: node.ints('axes') ?? [0, 2, 3], keepDims: true };
  const centred = sub(x, mean(x, over));
  return div(centred, maximum(sqrt(mean(square(centred), over)), 1e-9));
};

/** Normalizations. The optimizer of ONNX Runtime writes the simplified one into the default domain. */
export const normalizationOperators = {
  LayerNormalization: layerNormalization,
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
} satisfies Readonly<Record<string, Operator>>;

/** x + skip (+ bias) and its norm; the sum is the fourth result. */
const skipLayerNormalization: Operator = (node) => {
  const [x, skip, weight] = [node.input(0), node.input(1), node.input(2)];
  const [bias, shift] = [node.optional(3), node.optional(4)];
  const total = shift ? add(add(x, skip), shift) : add(x, skip);
  const parts = { x: total, weight, bias, axis: x.shape.length - 1, epsilon: node.float('epsilon', 1e-12) };
  return node.outputCount > 1 ? [normalized(parts), ...statistics(parts), total] : normalized(parts);
};

const skipSimplifiedLayerNormalization: Operator = (node) => {
  const [x, skip, weight, shift] = [node.input(0), node.input(1), node.input(2), node.optional(3)];
  const total = shift ? add(add(x, skip), shift) : add(x, skip);
  const y = rootMeanSquare(node, total, weight);
  return [y, undefined, undefined, total];
};

/** Normalizations of ONNX Runtime's own domain. */
export const microsoftNormalizationOperators = {
  LayerNormalization: layerNormalization,
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
  SkipLayerNormalization: skipLayerNormalization,
  SkipSimplifiedLayerNormalization: skipSimplifiedLayerNormalization,
} satisfies Readonly<Record<string, Operator>>;
