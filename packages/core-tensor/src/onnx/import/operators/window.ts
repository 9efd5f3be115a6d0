import type { Padding } from '../../../primitives/attributes.js';
import type { NodeContext } from '../node-context.js';

/** Windows that move over rows and columns; for one axis the rows are a single one. */
export interface Windows {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: Padding;
}

type Pair = readonly [number, number];

/** Kinds of padding that an attribute names. */
export const autoPads = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const;

/**
 * The windows that a node's attributes describe.
 *
 * @param sizes of the image's axes, one or two
 * @param kernelShape of the weight, where there is one
 * @throws OnnxError for images of other axes, or attributes that do not fit them
 */
export function windowsOf(node: NodeContext, sizes: readonly number[], kernelShape?: readonly number[]): Windows {
  if (sizes.length !== 1 && sizes.length !== 2) {
    throw node.refusal('images of one or two axes beside batch and channels', `${sizes.length} axes`);
  }
  const list = (name: string, values: readonly number[], length = sizes.length): readonly number[] => {
    if (values.length === length && values.every(Number.isInteger)) return values;
    throw node.refusal(`${length} values of ${name}`, `[${values.join(', ')}]`);
  };
  const once = sizes.map(() => 1);
  const given = node.ints('kernel_shape') ?? kernelShape;
  if (!given) throw node.refusal('an attribute kernel_shape', 'none');
  const kernel = list('kernel_shape', given);
  const stride = list('strides', node.ints('strides') ?? once);
  const dilation = list('dilations', node.ints('dilations') ?? once);
  if ([...kernel, ...stride, ...dilation].some((value) => value < 1)) {
    throw node.refusal(
      'kernels, strides and dilations of at least 1',
      `[${[...kernel, ...stride, ...dilation].join(', ')}]`,
    );
  }
  const auto = node.word('auto_pad', autoPads, 'NOTSET');
  const pads = node.ints('pads');
  const borders =
    auto === 'NOTSET'
      ? list('pads', pads ?? [...once, ...once].map(() => 0), 2 * sizes.length)
      : automatic(auto, sizes, { kernel, stride, dilation });
  if (kernel.length === 2) {
    return {
      kernel: kernel as unknown as Pair,
      stride: stride as unknown as Pair,
      dilation: dilation as unknown as Pair,
      padding: borders as unknown as Padding,
    };
  }
  return {
    kernel: [1, kernel[0]!],
    stride: [1, stride[0]!],
    dilation: [1, dilation[0]!],
    padding: [0, borders[0]!, 0, borders[1]!],
  };
}

/** Borders with which there are as many windows as steps, the odd one at the end or at the beginning; none for `VALID`. */
function automatic(
  mode: (typeof autoPads)[number],
  sizes: readonly number[],
  { kernel, stride, dilation }: Record<'kernel' | 'stride' | 'dilation', readonly number[]>,
): number[] {
  const totals = sizes.map((size, axis) => {
    if (mode === 'VALID') return 0;
    const extent = (kernel[axis]! - 1) * dilation[axis]! + 1;
    return Math.max(0, (Math.ceil(size / stride[axis]!) - 1) * stride[axis]! + extent - size);
  });
  const before = totals.map((total) => (mode === 'SAME_LOWER' ? Math.ceil(total / 2) : Math.floor(total / 2)));
  return [...before, ...totals.map((total, axis) => total - before[axis]!)];
}
