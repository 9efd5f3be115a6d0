import { type Shape, sizeOf } from '../../graph/shape.js';
import { broadcastPlaces } from './layout.js';
import type { ReferenceLowerings, ReferenceValue } from './value.js';

type Four = readonly [number, number, number, number];

/** Visits every pair of a kernel element and an output position with the input position it meets, per axis. */
function meetings(
  inputs: number,
  outputs: number,
  kernel: number,
  stride: number,
  before: number,
  dilation: number,
): number[][] {
  const met: number[][] = [];
  for (let output = 0; output < outputs; output++) {
    for (let k = 0; k < kernel; k++) {
      const input = output * stride - before + k * dilation;
      if (input >= 0 && input < inputs) met.push([output, k, input]);
    }
  }
  return met;
}

interface Window {
  readonly stride: readonly [number, number];
  readonly padding: Four;
  readonly dilation: readonly [number, number];
}

/**
 * Calls `visit` with the places in image [height, width], kernel [kh, kw] and windows [rows, columns] of every product
 * of a convolution of one channel.
 */
function forEachProduct(
  image: Shape,
  kernel: Shape,
  windows: Shape,
  { stride, padding, dilation }: Window,
  visit: (image: number, kernel: number, window: number) => void,
): void {
  const axes = [0, 1].map((axis) =>
    meetings(image[axis]!, windows[axis]!, kernel[axis]!, stride[axis]!, padding[axis]!, dilation[axis]!),
  );
  for (const [row, ky, y] of axes[0]!) {
    for (const [column, kx, x] of axes[1]!) {
      visit(y! * image[1]! + x!, ky! * kernel[1]! + kx!, row! * windows[1]! + column!);
    }
  }
}

/** Places of the batch's matrices in an operand, in units of matrices. */
function matrices({ shape }: ReferenceValue, batch: Shape): Int32Array {
  return broadcastPlaces(shape.slice(0, -2), batch);
}

export const productLowerings = {
  matmul: ({ shape, attributes: { transposeA, transposeB } }, inputs) => {
    const [a, b] = inputs as [ReferenceValue, ReferenceValue];
    const [m, n] = shape.slice(-2) as [number, number];
    const k = a.shape.at(transposeA ? -2 : -1)!;
    const [rowA, innerA] = transposeA ? [1, m] : [k, 1];
    const [innerB, columnB] = transposeB ? [1, k] : [n, 1];
    const batch = shape.slice(0, -2);
    const [startsA, startsB] = [matrices(a, batch), matrices(b, batch)];
    const result = new Float64Array(sizeOf(shape));
    for (let each = 0; each < startsA.length; each++) {
      const [startA, startB] = [startsA[each]! * m * k, startsB[each]! * k * n];
      for (let i = 0; i < m; i++) {
        for (let l = 0; l < k; l++) {
          const factor = a.data[startA + i * rowA + l * innerA]!;
          for (let j = 0; j < n; j++)
            result[(each * m + i) * n + j]! += factor * b.data[startB + l * innerB + j * columnB]!;
        }
      }
    }
    return result;
  },

  conv2d: ({ shape, attributes }, inputs) => {
    const [x, weight] = inputs as [ReferenceValue, ReferenceValue];
    const [batch, channels, ...image] = x.shape as Four;
    const [out, perGroup, ...kernel] = weight.shape as Four;
    const windows = shape.slice(2);
    const [imageSize, kernelSize, windowsSize] = [sizeOf(image), sizeOf(kernel), sizeOf(windows)];
    const result = new Float64Array(sizeOf(shape));
    forEachProduct(image, kernel, windows, attributes, (atImage, atKernel, atWindow) => {
      for (let n = 0; n < batch; n++) {
        for (let o = 0; o < out; o++) {
          const firstInput = Math.floor((o * attributes.groups) / out) * perGroup;
          let sum = 0;
          for (let i = 0; i < perGroup; i++) {
            sum +=
              x.data[(n * channels + firstInput + i) * imageSize + atImage]! *
              weight.data[(o * perGroup + i) * kernelSize + atKernel]!;
          }
          result[(n * out + o) * windowsSize + atWindow]! += sum;
        }
      }
    });
    return result;
  },

  /** Each input position adds its kernel, scaled, to the output: a convolution with image and windows exchanged. */
  convTranspose2d: ({ shape, attributes }, inputs) => {
    const [x, weight] = inputs as [ReferenceValue, ReferenceValue];
    const [batch, channels, ...windows] = x.shape as Four;
    const [, perGroup, ...kernel] = weight.shape as Four;
    const [, out, ...image] = shape as Four;
    const [imageSize, kernelSize, windowsSize] = [sizeOf(image), sizeOf(kernel), sizeOf(windows)];
    const result = new Float64Array(sizeOf(shape));
    forEachProduct(image, kernel, windows, attributes, (atImage, atKernel, atWindow) => {
      for (let n = 0; n < batch; n++) {
        for (let c = 0; c < channels; c++) {
          const firstOutput = Math.floor((c * attributes.groups) / channels) * perGroup;
          const value = x.data[(n * channels + c) * windowsSize + atWindow]!;
          for (let o = 0; o < perGroup; o++) {
            result[(n * out + firstOutput + o) * imageSize + atImage]! +=
              value * weight.data[(c * perGroup + o) * kernelSize + atKernel]!;
          }
        }
      }
    });
    return result;
  },
} satisfies Partial<ReferenceLowerings>;
