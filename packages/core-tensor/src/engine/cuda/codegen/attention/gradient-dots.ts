import { cTypes } from '../c-types.js';
import { integer, launch, type Parameter, reads, warpSum, writes } from '../launch-text.js';
import type { PlannedLaunch } from '../lowered.js';
import { strided } from '../product.js';
import { type AttentionProblem, layoutOf, rowsText, termParameters } from './problem.js';

/** Output and cotangent of each row multiplied and summed: what the softmax takes off every weight's gradient. A warp a row. */
export function gradientDots(problem: AttentionProblem): PlannedLaunch {
  const { batch, heads, queries, width, dtype } = problem;
  const rows = batch * heads * queries;
  const body = `
const int lane = threadIdx.x & 31, row = blockIdx.x * 8 + (threadIdx.x >> 5);
if (row >= ${integer(rows)}) return;
const int batch = row / ${heads * queries}, head = row / ${queries} % ${heads};
const int64 first = ${rowsText(problem, 'out', '0', 'head')} + ${strided(`row % ${queries}`, layoutOf(problem, 'out').row)};
float sum = 0.0f;
for (int column = lane; column < ${width}; column += 32) sum += to_float(out[first + column]) * to_float(dout[first + column]);
sum = sum_of_warp(sum);
if (lane == 0) dots[row] = sum;`;
  return launch({
    name: 'attention_dots',
    helpers: [warpSum],
    parameters: [
      reads(3, cTypes[dtype], 'out'),
      reads(4, cTypes[dtype], 'dout'),
      writes('temporary0', 'float', 'dots'),
    ],
    body,
    blocks: Math.ceil(rows / 8),
    threads: 256,
  });
}

/** What both passes over the gradients read. */
export function gradientParameters(problem: AttentionProblem): Parameter[] {
  const T = cTypes[problem.dtype];
  return [
    reads(0, T, 'q'),
    reads(1, T, 'k'),
    reads(2, T, 'v'),
    reads(4, T, 'dout'),
    reads(5, 'float', 'statistics'),
    reads('temporary0', 'float', 'dots'),
    ...termParameters(problem, 6),
  ];
}
