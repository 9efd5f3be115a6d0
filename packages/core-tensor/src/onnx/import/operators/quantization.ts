import { normalizeAxis } from '../../../graph/shape.js';
import { add, div, maximum, mul, neg, round, sub } from '../../../ops/arithmetic.js';
import { broadcastTo } from '../../../ops/broadcast.js';
import { cast } from '../../../ops/cast.js';
import { clamp, equal, where } from '../../../ops/compare.js';
import { matmul } from '../../../ops/matmul.js';
import { reshape } from '../../../ops/rearrange.js';
import { max } from '../../../ops/reduce.js';
import type { Tensor } from '../../../tensor.js';
import { bitsOf, computedAs, type ElementType } from '../element-types.js';
import type { NodeContext, Operator } from '../node-context.js';
import { typeAttribute } from './convert.js';
import { convolution } from './product.js';

/** Least and greatest value of an integer type. */
function rangeOf(type: ElementType): { readonly low: number; readonly high: number } {
  const levels = 2 ** bitsOf(type);
  return type.startsWith('u') ? { low: 0, high: levels - 1 } : { low: -levels / 2, high: levels / 2 - 1 };
}

const floats = (x: Tensor) => cast(x, 'float32');

/** Scales or zero points stretched over x: one, one for each place of an axis, or one for each block of an axis. */
function spread(node: NodeContext, x: Tensor, values: Tensor, axis: number, blockSize: number): Tensor {
  if (values.size === 1) return reshape(values, []);
  const place = normalizeAxis('DequantizeLinear', axis, x.shape);
  if (blockSize === 0) {
    const shape = x.shape.map((size, each) => (each === place ? size : 1));
    if (values.size !== x.shape[place]) throw node.refusal(`scales of ${x.shape[place]} places`, String(values));
    return reshape(values, shape);
  }
  const apart = (block: number) => [...values.shape.slice(0, place + 1), block, ...values.shape.slice(place + 1)];
  const blocks = reshape(broadcastTo(reshape(values, apart(1)), apart(blockSize)), [
    ...values.shape.slice(0, place),
    values.shape[place]! * blockSize,
    ...values.shape.slice(place + 1),
  ]);
  return blocks;
}

const dequantize: Operator = (node) => {
  const [x, scale, zeroPoint] = [node.input(0), node.input(1), node.optional(2)];
  const [axis, blockSize] = [node.int('axis', 1), node.int('block_size', 0)];
  const over = (values: Tensor) => spread(node, x, floats(values), axis, blockSize);
  const centred = zeroPoint ? sub(floats(x), over(zeroPoint)) : floats(x);
  const type = node.int('output_dtype', 0);
  const dtype = type === 0 ? scale.dtype : computedAs(typeAttribute(node, 'output_dtype'));
  return cast(mul(centred, over(scale)), dtype);
};

/** Whole numbers in the range of a type, as that type. */
function asType(node: NodeContext, x: Tensor, type: ElementType): Tensor {
  return node.mark(cast(clamp(x, rangeOf(type)), computedAs(type)), type);
}

const quantize: Operator = (node) => {
  const [x, scale, zeroPoint] = [node.input(0), node.input(1), node.optional(2)];
  const [axis, blockSize] = [node.int('axis', 1), node.int('block_size', 0)];
  node.ignore('saturate', 'precision');
  const over = (values: Tensor) => spread(node, x, floats(values), axis, blockSize);
  const type = node.int('output_dtype', 0) === 0 ? undefined : typeAttribute(node, 'output_dtype');
  const codes = round(div(floats(x), over(scale)));
  const shifted = zeroPoint ? add(codes, over(zeroPoint)) : codes;
  return asType(node, shifted, type ?? (zeroPoint ? node.typeOf(zeroPoint) : 'uint8'));
};

/** 8-bit codes of x with a scale and a zero point that its extremes give. */
const quantizeDynamically: Operator = (node) => {
  const x = node.input(0);
  const high = maximum(max(x), 0);
  const low = neg(maximum(max(neg(x)), 0));
  const span = div(sub(high, low), 255);
  const scale = where(equal(span, 0), 1, span);
  const zeroPoint = clamp(round(div(neg(low), scale)), { low: 0, high: 255 });
  const codes = asType(node, add(round(div(x, scale)), zeroPoint), 'uint8');
  return [codes, scale, cast(zeroPoint, 'uint8')];
};

/** Codes less their zero point, as floats; that of a is one for all or one for each row, that of b for each column. */
function centred(x: Tensor, zeroPoint: Tensor | undefined, isRows: boolean): Tensor {
  if (!zeroPoint) return floats(x);
  const zeros = floats(zeroPoint);
  return sub(floats(x), isRows && zeros.shape.length === 1 && zeros.size > 1 ? reshape(zeros, [-1, 1]) : zeros);
}

/** Sums of products of 8-bit integers are exact in float32 up to 2²⁴; beyond, they are rounded. */
const matMulInteger: Operator = (node) => {
  const a = centred(node.input(0), node.optional(2), true);
  const b = centred(node.input(1), node.optional(3), false);
  return cast(matmul(a, b), 'int32');
};

const convInteger: Operator = (node) => {
  const [x, weight, zeroPoint] = [node.input(0), node.input(1), node.optional(3)];
  const zeros = zeroPoint && reshape(floats(zeroPoint), [-1, ...weight.shape.slice(1).map(() => 1)]);
  const kernels = zeros ? sub(floats(weight), zeros) : floats(weight);
  return cast(convolution(node, centred(x, node.optional(2), false), kernels), 'int32');
};

/** Weights and activations in few bits. */
export const quantizationOperators = {
  DequantizeLinear: dequantize,
  QuantizeLinear: quantize,
  DynamicQuantizeLinear: quantizeDynamically,
  MatMulInteger: matMulInteger,
  ConvInteger: convInteger,
} satisfies Readonly<Record<string, Operator>>;
