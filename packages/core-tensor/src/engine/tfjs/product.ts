import { type Shape, sizeOf } from '../../graph/shape.js';
import type { Conv2dAttributes } from '../../primitives/attributes.js';
import type { Tfjs, TfjsLowerings, TfjsTensor } from './lowering.js';
import { padAxis, sliceAxis, spreadAxis } from './rearrangement.js';
import { stretch } from './views.js';

type Images = import('@tensorflow/tfjs-core').Tensor4D;

/** An operand's matrices [count, rows, columns], one if all of the batch share it. */
function matrices(tf: Tfjs, x: TfjsTensor, batch: Shape): TfjsTensor {
  const own = x.shape.slice(0, -2);
  const matrix = x.shape.slice(-2);
  const count = sizeOf(own);
  if (count === 1 || count === sizeOf(batch)) return tf.reshape(x, [count, ...matrix]);
  return tf.reshape(stretch(tf, x, [...batch, ...matrix]), [sizeOf(batch), ...matrix]);
}

/** A border; negative amounts cut. */
function border(tf: Tfjs, x: TfjsTensor, axis: number, [before, after]: readonly [number, number]): TfjsTensor {
  const cut = [Math.max(0, -before), Math.max(0, -after)] as const;
  const kept = sliceAxis(tf, x, axis, cut[0], x.shape[axis]! - cut[0] - cut[1]);
  return padAxis(tf, kept, axis, [Math.max(0, before), Math.max(0, after)]);
}

/**
 * Cross-correlation without a border. images [batch, height, width, in], kernel [kh, kw, in / groups, out].
 * TensorFlow.js has one group or one per input channel, and not both a stride and a dilation.
 */
function correlate(
  tf: Tfjs,
  images: TfjsTensor,
  kernel: TfjsTensor,
  { stride, dilation, groups }: Omit<Conv2dAttributes, 'padding'>,
): TfjsTensor {
  const [kh, kw, perGroup, out] = kernel.shape as [number, number, number, number];
  const isStrided = stride.some((each) => each > 1);
  if (isStrided && dilation.some((each) => each > 1)) {
    const spread = spreadAxis(tf, spreadAxis(tf, kernel, 0, dilation[0]), 1, dilation[1]);
    return correlate(tf, images, spread, { stride, dilation: [1, 1], groups });
  }
  const options = ['valid', 'NHWC', [...dilation]] as ['valid', 'NHWC', [number, number]];
  const strides: [number, number] = [...stride];
  if (groups === 1) return tf.conv2d(images as Images, kernel as Images, strides, ...options);
  if (perGroup === 1) {
    return tf.depthwiseConv2d(
      images as Images,
      tf.reshape(kernel, [kh, kw, groups, out / groups]) as Images,
      strides,
      ...options,
    );
  }
  const parts = Array.from({ length: groups }, (_, group) => {
    const part = sliceAxis(tf, images, 3, group * perGroup, perGroup);
    const own = sliceAxis(tf, kernel, 3, (group * out) / groups, out / groups);
    return tf.conv2d(part as Images, own as Images, strides, ...options);
  });
  return tf.concat(parts, 3);
}

export const productLowerings = {
  matmul: (tf, { shape, attributes: { transposeA, transposeB } }, [a, b]) => {
    if (a!.size === 0) return tf.zeros([...shape]);
    const batch = shape.slice(0, -2);
    const product = tf.matMul(matrices(tf, a!, batch), matrices(tf, b!, batch), transposeA, transposeB);
    return tf.reshape(product, [...shape]);
  },

  conv2d: (tf, { attributes }, [x, weight]) => {
    const { padding } = attributes;
    const images = tf.transpose(x!, [0, 2, 3, 1]);
    const padded = border(tf, border(tf, images, 1, [padding[0], padding[2]]), 2, [padding[1], padding[3]]);
    const kernel = tf.transpose(weight!, [2, 3, 1, 0]); // [kh, kw, in / groups, out]
    return tf.transpose(correlate(tf, padded, kernel, attributes), [0, 3, 1, 2]);
  },

  /** A convolution of the images spread out by the stride, with the kernel flipped. */
  convTranspose2d: (tf, { attributes }, [x, weight]) => {
    const { stride, padding, dilation, outputPadding, groups } = attributes;
    const [inputs, perGroup, kh, kw] = weight!.shape as [number, number, number, number];
    let images = tf.transpose(x!, [0, 2, 3, 1]);
    [kh, kw].forEach((size, axis) => {
      const reach = dilation[axis]! * (size - 1);
      const spread = spreadAxis(tf, images, axis + 1, stride[axis]!);
      images = border(tf, spread, axis + 1, [
        reach - padding[axis]!,
        reach - padding[axis + 2]! + outputPadding[axis]!,
      ]);
    });
    const grouped = tf.reshape(weight!, [groups, inputs / groups, perGroup, kh * kw]);
    const flipped = tf.reverse(grouped, 3);
    const kernel = tf.reshape(tf.transpose(flipped, [3, 1, 0, 2]), [kh, kw, inputs / groups, groups * perGroup]);
    return tf.transpose(correlate(tf, images, kernel, { stride: [1, 1], dilation, groups }), [0, 3, 1, 2]);
  },
} satisfies Partial<TfjsLowerings>;
