import type { Conv2dAttributes } from '../../../../primitives/attributes.js';
import { cTypes } from '../c-types.js';
import { eachOf, integer, launch, reads, spread, warpSum, writes } from '../launch-text.js';
import type { PlannedLaunch, StoredNode } from '../lowered.js';
import { windowsOf } from './windows.js';

/** Output rows of a thread: neighbours in a column share most of what they read. */
const rowsOfThread = 4;

/** Kernels up to this size are written out. */
const unrolledKernel = 49;

/** Sums that a warp keeps at once. */
const sumsOfWarp = 16;

function parameters({ inputs: [x, weight], dtype }: StoredNode<Conv2dAttributes>) {
  return [
    reads(0, cTypes[x!.dtype], 'x'),
    reads(1, cTypes[weight!.dtype], 'weight'),
    writes('out', cTypes[dtype], 'out'),
  ];
}

/**
 * One input channel for each output channel. A thread computes four rows of a column, neighbours in a warp lie beside each
 * other, and what two rows of the kernel meet is read once.
 */
export function depthwise(node: StoredNode<Conv2dAttributes>): PlannedLaunch {
  const { batch, groups, outputs, image, kernel, out, stride, dilation, before } = windowsOf(node);
  const channels = groups * outputs;
  const strips = Math.ceil(out[0] / rowsOfThread);
  const total = batch * channels * strips * out[1];
  const size = kernel[0] * kernel[1];
  const unrolled = size <= unrolledKernel;
  const reach = (rowsOfThread - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1;
  const unroll = unrolled ? '#pragma unroll' : '#pragma unroll 1';
  const read = 'to_float(weight[(int64)channel * ';
  const body = `
${eachOf(total)}
const int column = (int)(i % ${out[1]}), strip = (int)(i / ${out[1]} % ${strips});
const int64 plane = i / ${out[1] * strips};
const int channel = (int)(plane % ${channels}), first = strip * ${rowsOfThread};
const ${cTypes[node.inputs[0]!.dtype]}* own = x + (plane / ${channels} * ${groups} + channel / ${outputs}) * ${integer(image[0] * image[1])};
float sums[${rowsOfThread}] = {};
${
  unrolled
    ? `float factors[${size}];
#pragma unroll
for (int j = 0; j < ${size}; j++) factors[j] = ${read}${size} + j]);`
    : ''
}
const int top = first * ${stride[0]} - ${before[0]};
${unroll}
for (int kx = 0; kx < ${kernel[1]}; kx++) {
  const int across = column * ${stride[1]} + kx * ${dilation[1]} - ${before[1]};
  if (across < 0 || across >= ${image[1]}) continue;
${
  unrolled
    ? `  #pragma unroll
  for (int down = 0; down < ${reach}; down++) {
    const float value = top + down >= 0 && top + down < ${image[0]} ? to_float(own[(top + down) * ${image[1]} + across]) : 0.0f;
    #pragma unroll
    for (int row = 0; row < ${rowsOfThread}; row++)
      #pragma unroll
      for (int ky = 0; ky < ${kernel[0]}; ky++)
        if (row * ${stride[0]} + ky * ${dilation[0]} == down) sums[row] += value * factors[ky * ${kernel[1]} + kx];
  }`
    : `  #pragma unroll 1
  for (int ky = 0; ky < ${kernel[0]}; ky++) {
    const float factor = ${read}${size} + ky * ${kernel[1]} + kx]);
    #pragma unroll
    for (int row = 0; row < ${rowsOfThread}; row++) {
      const int y = top + row * ${stride[0]} + ky * ${dilation[0]};
      if (y >= 0 && y < ${image[0]}) sums[row] += factor * to_float(own[y * ${image[1]} + across]);
    }
  }`
}
}
#pragma unroll
for (int row = 0; row < ${rowsOfThread}; row++)
  if (first + row < ${out[0]}) out[plane * ${integer(out[0] * out[1])} + (first + row) * ${out[1]} + column] = from_float<${cTypes[node.dtype]}>(sums[row]);`;
  return launch({ name: 'depthwise', parameters: parameters(node), body, ...spread(total) });
}

/**
 * The same for kernels as large as the image and few outputs, which is what the gradient of a depthwise weight is: a warp per
 * channel walks over the kernel and keeps the sums of up to 16 outputs.
 */
export function depthwiseOfLargeKernel(node: StoredNode<Conv2dAttributes>): PlannedLaunch {
  const { batch, groups, outputs, image, kernel, out, stride, dilation, before } = windowsOf(node);
  const channels = groups * outputs;
  const size = kernel[0] * kernel[1];
  const positions = out[0] * out[1];
  const kept = Math.min(sumsOfWarp, positions);
  const pieces = Math.ceil(positions / kept);
  const tasks = batch * channels * pieces;
  const body = `
const int lane = threadIdx.x & 31;
const int64 task = (int64)blockIdx.x * 8 + (threadIdx.x >> 5);
if (task >= ${integer(tasks)}) return;
const int piece = (int)(task % ${pieces}) * ${kept};
const int64 plane = task / ${pieces};
const int channel = (int)(plane % ${channels});
const ${cTypes[node.inputs[0]!.dtype]}* own = x + (plane / ${channels} * ${groups} + channel / ${outputs}) * ${integer(image[0] * image[1])};
const ${cTypes[node.inputs[1]!.dtype]}* factors = weight + (int64)channel * ${integer(size)};
float sums[${kept}] = {};
for (int j = lane; j < ${size}; j += 32) {
  const float factor = to_float(factors[j]);
  const int ky = j / ${kernel[1]} * ${dilation[0]} - ${before[0]}, kx = j % ${kernel[1]} * ${dilation[1]} - ${before[1]};
  #pragma unroll
  for (int each = 0; each < ${kept}; each++) {
    const int position = piece + each, y = position / ${out[1]} * ${stride[0]} + ky, across = position % ${out[1]} * ${stride[1]} + kx;
    if (y >= 0 && y < ${image[0]} && across >= 0 && across < ${image[1]}) sums[each] += factor * to_float(own[y * ${image[1]} + across]);
  }
}
#pragma unroll
for (int each = 0; each < ${kept}; each++) {
  const float sum = sum_of_warp(sums[each]);
  if (lane == 0 && piece + each < ${positions}) out[plane * ${positions} + piece + each] = from_float<${cTypes[node.dtype]}>(sum);
}`;
  return launch({
    name: 'depthwise_large_kernel',
    helpers: [warpSum],
    parameters: parameters(node),
    body,
    blocks: Math.ceil(tasks / 8),
    threads: 256,
  });
}

/** A transposed convolution whose outputs have one input channel each: a thread per output. */
export function transposedDepthwise(node: StoredNode<Conv2dAttributes>): PlannedLaunch {
  const { batch, groups, outputs, image, kernel, out, stride, dilation, before } = windowsOf(node);
  const channels = groups * outputs;
  const total = batch * channels * out[0] * out[1];
  const body = `
${eachOf(total)}
const int column = (int)(i % ${out[1]}), row = (int)(i / ${out[1]} % ${out[0]});
const int64 plane = i / ${integer(out[0] * out[1])};
const int channel = (int)(plane % ${channels});
const ${cTypes[node.inputs[0]!.dtype]}* own = x + (plane / ${channels} * ${groups} + channel / ${outputs}) * ${integer(image[0] * image[1])};
float sum = 0.0f;
for (int ky = 0; ky < ${kernel[0]}; ky++) {
  const int y = row + ${before[0]} - ky * ${dilation[0]};
  if (y < 0 || y % ${stride[0]} != 0 || y / ${stride[0]} >= ${image[0]}) continue;
  for (int kx = 0; kx < ${kernel[1]}; kx++) {
    const int across = column + ${before[1]} - kx * ${dilation[1]};
    if (across < 0 || across % ${stride[1]} != 0 || across / ${stride[1]} >= ${image[1]}) continue;
    sum += to_float(own[y / ${stride[0]} * ${image[1]} + across / ${stride[1]}]) * to_float(weight[((int64)channel * ${kernel[0]} + ky) * ${kernel[1]} + kx]);
  }
}
out[i] = from_float<${cTypes[node.dtype]}>(sum);`;
  return launch({ name: 'transposed_depthwise', parameters: parameters(node), body, ...spread(total) });
}
