import { isFloating } from '../../../dtype.js';
import { add, mul } from '../../../ops/arithmetic.js';
import { cast } from '../../../ops/cast.js';
import { conv2d, convTranspose2d } from '../../../ops/convolution.js';
import { einsum } from '../../../ops/einsum.js';
import { matmul } from '../../../ops/matmul.js';
import { expandDims, pad, reshape, squeeze } from '../../../ops/rearrange.js';
import type { Padding } from '../../../primitives/attributes.js';
import type { Tensor } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';
import { windowsOf } from './window.js';

/** As NumPy multiplies: a vector is a row on the left, and a column on the right. */
export function product(a: Tensor, b: Tensor): Tensor {
  if (!isFloating(a.dtype)) return cast(product(cast(a, 'float32'), cast(b, 'float32')), a.dtype);
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1];
  const result = matmul(isRow ? expandDims(a, 0) : a, isColumn ? expandDims(b, 1) : b);
  const withoutRow = isRow ? squeeze(result, -2) : result;
  return isColumn ? squeeze(withoutRow, -1) : withoutRow;
}

const scaled = (x: Tensor, factor: number) => (factor === 1 ? x : mul(x, factor));

const gemm: Operator = (node) => {
  const [a, b, c] = [node.input(0), node.input(1), node.optional(2)];
  const flags = { transposeA: node.flag('transA'), transposeB: node.flag('transB') };
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  if (a.shape.length !== 2 || b.shape.length !== 2) throw node.refusal('two matrices', `${a} and ${b}`);
  const y = scaled(matmul(a, b, flags), alpha);
  return c ? add(y, scaled(c, beta)) : y;
};

/** An equation with `->`, in which every axis behind `...` has a letter. */
function spelledOut(node: NodeContext, equation: string, tensors: readonly Tensor[]): string {
  const [left, right] = equation.replaceAll(' ', '').split('->') as [string, string | undefined];
  const terms = left.split(',');
  const free = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter(
    (letter) => !equation.includes(letter),
  );
  const hidden = terms.map((term, index) =>
    term.includes('...') ? Math.max(0, (tensors[index]?.shape.length ?? 0) - (term.length - 3)) : 0,
  );
  const most = Math.max(0, ...hidden);
  const letters = free.slice(0, most).join('');
  const full = terms.map((term, index) => term.replace('...', letters.slice(most - hidden[index]!)));
  const once = [...new Set(full.join(''))].filter((letter) => full.join('').split(letter).length === 2);
  const result =
    right === undefined
      ? letters +
        once
          .filter((letter) => !letters.includes(letter))
          .sort()
          .join('')
      : right;
  if (tensors.length > 2) throw node.refusal('one or two terms', equation);
  return `${full.join(',')}->${result.replace('...', letters)}`;
}

const einsumOf: Operator = (node) => {
  const tensors = node.all();
  return einsum(spelledOut(node, node.text('equation'), tensors), ...tensors);
};

/** An image of one axis as one row. */
const asImage = (x: Tensor) => (x.shape.length === 3 ? expandDims(x, 2) : x);
const as = (shape: readonly number[], y: Tensor) => (shape.length === 3 ? squeeze(y, 2) : y);

/** Convolution over one or two axes. */
export function convolution(node: NodeContext, x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const { stride, padding, dilation } = windowsOf(node, x.shape.slice(2), weight.shape.slice(2));
  const options = { bias, stride, padding, dilation, groups: node.int('group', 1) };
  return as(x.shape, conv2d(asImage(x), asImage(weight), options));
}

const transposedConvolution: Operator = (node) => {
  const [x, weight, bias] = [node.input(0), node.input(1), node.optional(2)];
  const sizes = x.shape.slice(2);
  const auto = node.word('auto_pad', ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'], 'NOTSET');
  const windows = windowsOf(node, sizes, weight.shape.slice(2));
  const { kernel, stride, dilation } = windows;
  const two = (values: readonly number[] | undefined, missing: number): [number, number] =>
    values === undefined ? [missing, missing] : sizes.length === 1 ? [0, values[0]!] : [values[0]!, values[1]!];
  const outputPadding = two(node.ints('output_padding'), 0);
  const wanted = node.ints('output_shape');
  const image = asImage(x);
  let { padding } = windows;
  if (wanted || auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const target = wanted
      ? sizes.length === 1
        ? [1, wanted.at(-1)!]
        : wanted.slice(-2)
      : image.shape.slice(2).map((size, axis) => size * stride[axis]!);
    const totals = target.map(
      (size, axis) =>
        stride[axis]! * (image.shape[2 + axis]! - 1) +
        outputPadding[axis]! +
        (kernel[axis]! - 1) * dilation[axis]! +
        1 -
        size,
    );
    // What is missing is added at the end, or at the beginning for SAME_LOWER.
    const half = (total: number) => (auto === 'SAME_UPPER' ? Math.ceil(total / 2) : Math.floor(total / 2));
    const [top, left] = totals.map((total) => total - half(total)) as [number, number];
    padding = [top, left, totals[0]! - top, totals[1]! - left];
  }
  const cut = padding.map((amount) => Math.max(0, amount)) as unknown as Padding;
  const options = { stride, dilation, padding: cut, outputPadding, groups: node.int('group', 1) };
  const y = convTranspose2d(image, asImage(weight), options);
  // Beyond what the input reaches there are zeros.
  const [top, left, bottom, right] = padding.map((amount) => Math.max(0, -amount)) as unknown as Padding;
  const filled = pad(y, { before: [0, 0, top, left], after: [0, 0, bottom, right] });
  return as(x.shape, bias ? add(filled, reshape(bias, [bias.size, 1, 1])) : filled);
};

/** Products and convolutions. */
export const productOperators = {
  MatMul: (node) => product(node.input(0), node.input(1)),
  Gemm: gemm,
  Einsum: einsumOf,
  Conv: (node) => convolution(node, node.input(0), node.input(1), node.optional(2)),
  ConvTranspose: transposedConvolution,
} satisfies Readonly<Record<string, Operator>>;
