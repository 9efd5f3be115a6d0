import type { Shape } from '../../../../graph/shape.js';
import type { Conv2dAttributes } from '../../../../primitives/attributes.js';
import { integer } from '../launch-text.js';
import type { StoredNode } from '../lowered.js';

/** Sizes of a convolution, by the names that kernels use. */
export interface Windows {
  readonly batch: number;
  readonly groups: number;
  /** Channels of a group. */
  readonly inputs: number;
  readonly outputs: number;
  readonly image: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly out: readonly [height: number, width: number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Rows above and columns left of the image. */
  readonly before: readonly [number, number];
}

/** Sizes of a convolution, also of a transposed one. */
export function windowsOf({ inputs, shape, attributes }: StoredNode<Conv2dAttributes>): Windows {
  const [x, weight] = inputs.map((each) => each.shape) as [Shape, Shape];
  const { groups, stride, dilation, padding } = attributes;
  return {
    batch: x[0]!,
    groups,
    inputs: x[1]! / groups,
    outputs: shape[1]! / groups,
    image: [x[2]!, x[3]!],
    kernel: [weight[2]!, weight[3]!],
    out: [shape[2]!, shape[3]!],
    stride,
    dilation,
    before: [padding[0], padding[1]],
  };
}

/**
 * A function `window_at(depth, position)` of a kernel: the input that element `depth` (channel, then place in the kernel) of
 * the weight meets at output `position`, a float; 0 beyond the image. `firstImage` is the group's first element of x.
 */
export function windowAt({ image, kernel, out, stride, dilation, before }: Windows): string {
  return `const auto window_at = [&](int depth, int position) {
  const int y = position / ${out[1]} * ${stride[0]} + depth / ${kernel[1]} % ${kernel[0]} * ${dilation[0]} - ${before[0]};
  const int across = position % ${out[1]} * ${stride[1]} + depth % ${kernel[1]} * ${dilation[1]} - ${before[1]};
  if (y < 0 || y >= ${image[0]} || across < 0 || across >= ${image[1]}) return 0.0f;
  return to_float(x[firstImage + (depth / ${kernel[0] * kernel[1]} * ${image[0]} + y) * ${image[1]} + across]);
};`;
}

/** The same of a transposed convolution: positions that no input reaches give 0. */
export function transposedWindowAt({ image, kernel, out, stride, dilation, before }: Windows): string {
  return `const auto window_at = [&](int depth, int position) {
  int y = position / ${out[1]} + ${before[0]} - depth / ${kernel[1]} % ${kernel[0]} * ${dilation[0]};
  int across = position % ${out[1]} + ${before[1]} - depth % ${kernel[1]} * ${dilation[1]};
  if (y < 0 || across < 0 || y % ${stride[0]} != 0 || across % ${stride[1]} != 0) return 0.0f;
  y /= ${stride[0]};
  across /= ${stride[1]};
  if (y >= ${image[0]} || across >= ${image[1]}) return 0.0f;
  return to_float(x[firstImage + (depth / ${kernel[0] * kernel[1]} * ${image[0]} + y) * ${image[1]} + across]);
};`;
}

/** Statements that set `firstImage` and `firstOut` for `image` and `group`. */
export function firstPlaces({ groups, inputs, outputs, image, out }: Windows): string {
  return `const int64 firstImage = ((int64)image * ${groups} + group) * ${integer(inputs * image[0] * image[1])};
const int64 firstOut = ((int64)image * ${groups} + group) * ${integer(outputs * out[0] * out[1])};`;
}
