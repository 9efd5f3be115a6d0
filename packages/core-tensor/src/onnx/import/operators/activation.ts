import { sizeOf } from '../../../graph/shape.js';
import { gelu, geluTanh, mish, silu, softplus } from '../../../ops/activations.js';
import { abs, add, div, exp, minimum, mul, relu, sigmoid, sub } from '../../../ops/arithmetic.js';
import { clamp, less, where } from '../../../ops/compare.js';
import { reshape } from '../../../ops/rearrange.js';
import { logSoftmax, softmax } from '../../../ops/softmax.js';
import type { Tensor } from '../../../tensor.js';
import type { Operator } from '../node-context.js';

const unary =
  (fn: (x: Tensor) => Tensor): Operator =>
  (node) =>
    fn(node.input(0));

/** eˣ − 1 below 0; above it the exponent is held at 0, so that nothing overflows. */
function belowZero(x: Tensor): Tensor {
  return sub(exp(minimum(x, 0)), 1);
}

export function leakyRelu(x: Tensor, slope: number): Tensor {
  return where(less(x, 0), mul(x, slope), x);
}

export function hardSigmoid(x: Tensor, slope: number, offset: number): Tensor {
  return clamp(add(mul(x, slope), offset), { low: 0, high: 1 });
}

const elu: Operator = (node) => {
  const x = node.input(0);
  return where(less(x, 0), mul(belowZero(x), node.float('alpha', 1)), x);
};

const selu: Operator = (node) => {
  const x = node.input(0);
  const alpha = node.float('alpha', 1.6732631921768188);
  return mul(where(less(x, 0), mul(belowZero(x), alpha), x), node.float('gamma', 1.0507010221481323));
};

const celu: Operator = (node) => {
  const x = node.input(0);
  const alpha = node.float('alpha', 1);
  return where(less(x, 0), mul(belowZero(div(x, alpha)), alpha), x);
};

const thresholdedRelu: Operator = (node) => {
  const x = node.input(0);
  return where(less(node.float('alpha', 1), x), x, 0);
};

const prelu: Operator = (node) => {
  const x = node.input(0);
  return where(less(x, 0), mul(x, node.input(1)), x);
};

/** Up to opset 12 all axes from the given one on are normalized together. */
const softmaxOf =
  (fn: (x: Tensor, axis: number) => Tensor): Operator =>
  (node) => {
    const x = node.input(0);
    if (node.opset >= 13) return fn(x, node.int('axis', -1));
    const axis = node.int('axis', 1);
    const cut = axis < 0 ? axis + x.shape.length : axis;
    const flat = reshape(x, [sizeOf(x.shape.slice(0, cut)), sizeOf(x.shape.slice(cut))]);
    return reshape(fn(flat, -1), x.shape);
  };

const geluOf: Operator = (node) =>
  node.word('approximate', ['none', 'tanh'], 'none') === 'tanh' ? geluTanh(node.input(0)) : gelu(node.input(0));

/** Activations and softmax. */
export const activationOperators = {
  Relu: unary(relu),
  LeakyRelu: (node) => leakyRelu(node.input(0), node.float('alpha', 0.01)),
  Elu: elu,
  Selu: selu,
  Celu: celu,
  PRelu: prelu,
  ThresholdedRelu: thresholdedRelu,
  Softplus: unary(softplus),
  Softsign: unary((x) => div(x, add(abs(x), 1))),
  HardSigmoid: (node) => hardSigmoid(node.input(0), node.float('alpha', 0.2), node.float('beta', 0.5)),
  HardSwish: unary((x) => mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  Gelu: geluOf,
  Mish: unary(mish),
  Softmax: softmaxOf(softmax),
  LogSoftmax: softmaxOf(logSoftmax),
} satisfies Readonly<Record<string, Operator>>;

const biasGelu: Operator = (node) => gelu(add(node.input(0), node.input(1)));

/** Approximate, with a bias that may be left out. */
const fastGelu: Operator = (node) => {
  const bias = node.optional(1);
  return geluTanh(bias ? add(node.input(0), bias) : node.input(0));
};

const quickGelu: Operator = (node) => {
  const x = node.input(0);
  const alpha = node.float('alpha', 1.702);
  return alpha === 1 ? silu(x) : mul(x, sigmoid(mul(x, alpha)));
};

/** Activations of ONNX Runtime's own domain. */
export const microsoftActivationOperators = {
  Gelu: unary(gelu),
  BiasGelu: biasGelu,
  FastGelu: fastGelu,
  QuickGelu: quickGelu,
} satisfies Readonly<Record<string, Operator>>;
