import { maxPool2d } from '../../../ops/pooling.js';
import { expandDims, pad, squeeze } from '../../../ops/rearrange.js';
import { max, mean } from '../../../ops/reduce.js';
import { type AxisMap, applySeparable, axisMap } from '../../../ops/separable.js';
import type { Tensor } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';
import { windowsOf } from './window.js';

/** The lowest finite number: a border of it never wins. */
const lowest = -3.4028234663852886e38;

/** Larger windows are global ones. */
const largestKernel = 2 ** 16;

/** Windows along one axis. */
interface Line {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
  /** How many windows there are. */
  readonly count: number;
}

interface Pooling {
  /** [batch, channels, height, width] */
  readonly image: Tensor;
  readonly lines: readonly [Line, Line];
  /** Gives the result the axes of the input. */
  readonly restore: (y: Tensor) => Tensor;
}

function poolingOf(node: NodeContext): Pooling {
  const x = node.input(0);
  const { kernel, stride, dilation, padding } = windowsOf(node, x.shape.slice(2));
  if (dilation.some((each) => each !== 1)) throw node.refusal('dilations of 1', `[${dilation.join(', ')}]`);
  if (kernel[0] * kernel[1] > largestKernel || padding.some((amount, side) => amount >= kernel[side % 2]!)) {
    throw node.refusal(
      `kernels of at most ${largestKernel} elements and less padding`,
      `${kernel.join(' × ')} with padding [${padding.join(', ')}]`,
    );
  }
  const roundsUp = node.flag('ceil_mode');
  const isLine = x.shape.length === 3;
  const image = isLine ? expandDims(x, 2) : x;
  const lines = [0, 1].map((axis): Line => {
    const size = image.shape[2 + axis]!;
    const [before, after] = [padding[axis]!, padding[2 + axis]!];
    const span = (size + before + after - kernel[axis]!) / stride[axis]!;
    let count = (roundsUp ? Math.ceil(span) : Math.floor(span)) + 1;
    // The last window starts in the image or in the border before it.
    if (roundsUp && (count - 1) * stride[axis]! >= size + before) count--;
    if (!(count >= 1) || before < 0 || after < 0) {
      throw node.refusal(`images at least as large as the kernel of ${kernel.join(' × ')}`, String(x));
    }
    return { size, kernel: kernel[axis]!, stride: stride[axis]!, before, after, count };
  });
  return { image, lines: [lines[0]!, lines[1]!], restore: (y) => (isLine ? squeeze(y, 2) : y) };
}

const maxPool: Operator = (node) => {
  const { image, lines, restore } = poolingOf(node);
  node.ignore('storage_order'); // of the second result
  // As far as the last window reaches, which may be less or more than the border.
  const reached = lines.map(({ count, stride, kernel }) => (count - 1) * stride + kernel);
  const after = lines.map(({ size, before }, axis) => Math.max(0, reached[axis]! - before - size));
  const [rows, columns] = lines;
  const bordered = pad(image, {
    before: [0, 0, rows.before, columns.before],
    after: [0, 0, after[0]!, after[1]!],
    value: lowest,
  });
  return restore(maxPool2d(bordered, [rows.kernel, columns.kernel], { stride: [rows.stride, columns.stride] }));
};

/** The mean over windows along one axis; the border counts in the divisor or does not. */
function meanMap({ size, kernel, stride, before, after, count }: Line, countsBorder: boolean): AxisMap {
  return axisMap(count, size, (put) => {
    for (let window = 0; window < count; window++) {
      const start = window * stride - before;
      const end = Math.min(start + kernel, size + after);
      const [first, last] = [Math.max(start, 0), Math.min(end, size)];
      const divisor = countsBorder ? end - start : last - first;
      for (let place = first; place < last; place++) put(window, place, 1 / divisor);
    }
  });
}

const averagePool: Operator = (node) => {
  const { image, lines, restore } = poolingOf(node);
  const countsBorder = node.flag('count_include_pad');
  return restore(applySeparable(image, meanMap(lines[0], countsBorder), meanMap(lines[1], countsBorder)));
};

/** Over all axes behind batch and channels. */
const overImage =
  (reduce: typeof mean): Operator =>
  (node) => {
    const x = node.input(0);
    return reduce(x, { axes: x.shape.map((_, axis) => axis).slice(2), keepDims: true });
  };

/** Pooling over windows of one or two axes. */
export const poolingOperators = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalMaxPool: overImage(max),
  GlobalAveragePool: overImage(mean),
} satisfies Readonly<Record<string, Operator>>;
