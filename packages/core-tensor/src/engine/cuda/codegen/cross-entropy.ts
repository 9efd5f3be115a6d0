import { byteSize, type DType } from '../../../dtype.js';
import { cTypes } from './c-types.js';
import { loadEight } from './eights.js';
import { failureFunctions, failureParameter } from './failure.js';
import { float, launch, reads, warpSum, writes } from './launch-text.js';
import { type Lowered, nothing } from './lowered.js';

/** −ln softmax(logits)[label] of each row of logits [rows, classes], without another copy of the logits. */
export interface CrossEntropy {
  readonly rows: number;
  readonly classes: number;
  /** How the logits are stored. */
  readonly logits: 'float32' | 'float16' | 'bfloat16';
  readonly labels: 'int32' | 'int64';
  /** Rows with this label lose nothing. */
  readonly ignoreIndex: number;
  /** Share of each label spread evenly over all classes. */
  readonly labelSmoothing: number;
}

const threads = 512;

/** Whether rows begin at multiples of 16 bytes. */
function inEights({ classes, logits }: CrossEntropy): boolean {
  return classes % 8 === 0 && (classes * byteSize(logits)) % 16 === 0;
}

/**
 * Losses and what the gradient needs. Inputs: logits [rows, classes], labels [rows]. Results: `out`, the losses [rows] in
 * `dtype`; `out1`, float32 [rows], ln Σ exp(logits). A block per row reads it once, at the speed of memory.
 */
export function crossEntropyForward(problem: CrossEntropy, dtype: DType = 'float32'): Lowered {
  const { rows, classes, logits, labels, ignoreIndex, labelSmoothing } = problem;
  if (rows === 0) return nothing;
  const T = cTypes[logits];
  const step = inEights(problem) ? 8 : 1;
  const body = `
__shared__ float mosts[${threads / 32}], totals[${threads / 32}], plains[${threads / 32}];
const ${T}* row = logits + (int64)blockIdx.x * ${classes};
const float none = __uint_as_float(0xff800000u);
float most = none, total = 0.0f, plain = 0.0f;
#pragma unroll 2
for (int column = threadIdx.x * ${step}; column < ${classes}; column += ${threads * step}) {
  float values[${step}];
  ${step === 8 ? 'load_eight(values, row + column);' : 'values[0] = to_float(row[column]);'}
  float larger = most;
  #pragma unroll
  for (int j = 0; j < ${step}; j++) larger = fmaxf(larger, values[j]);
  if (larger > most) { total *= expf(most - larger); most = larger; }
  #pragma unroll
  for (int j = 0; j < ${step}; j++) {
    total += values[j] == none && most == none ? 0.0f : expf(values[j] - most);
    ${labelSmoothing > 0 ? 'plain += values[j];' : ''}
  }
}
for (int lane = 16; lane > 0; lane >>= 1) {
  const float other = __shfl_xor_sync(0xffffffffu, most, lane), sum = __shfl_xor_sync(0xffffffffu, total, lane);
  const float larger = fmaxf(most, other);
  total = (most == larger ? total : total * expf(most - larger)) + (other == larger ? sum : sum * expf(other - larger));
  most = larger;
}
plain = sum_of_warp(plain);
if ((threadIdx.x & 31) == 0) { mosts[threadIdx.x >> 5] = most; totals[threadIdx.x >> 5] = total; plains[threadIdx.x >> 5] = plain; }
__syncthreads();
if (threadIdx.x != 0) return;
for (int warp = 1; warp < ${threads / 32}; warp++) {
  const float larger = fmaxf(most, mosts[warp]);
  total = (most == larger ? total : total * expf(most - larger)) + (mosts[warp] == larger ? totals[warp] : totals[warp] * expf(mosts[warp] - larger));
  most = larger;
  plain += plains[warp];
}
const float normalizer = most + logf(total);
normalizers[blockIdx.x] = normalizer;
const int64 label = labels[blockIdx.x];
float loss = 0.0f;
if (label != ${ignoreIndex} && index_fits(label, ${classes}, failure)) {
  loss = normalizer - to_float(row[label]);
  ${labelSmoothing > 0 ? `loss = loss * ${float(1 - labelSmoothing)} + (normalizer - plain * ${float(1 / classes)}) * ${float(labelSmoothing)};` : ''}
}
losses[blockIdx.x] = from_float<${cTypes[dtype]}>(loss);`;
  return {
    launches: [
      launch({
        name: 'cross_entropy',
        helpers: [warpSum, loadEight, failureFunctions],
        parameters: [
          reads(0, T, 'logits'),
          reads(1, cTypes[labels], 'labels'),
          writes('out', cTypes[dtype], 'losses'),
          writes('out1', 'float', 'normalizers'),
          failureParameter,
        ],
        body,
        blocks: rows,
        threads,
      }),
    ],
    temporaries: [],
  };
}

/** What flows back into the losses: a number for each row, or one for all. */
export interface LossGradient {
  readonly dtype: 'float32' | 'float16' | 'bfloat16';
  readonly perRow: boolean;
}

/**
 * Gradient with respect to the logits, in one pass. Inputs: logits, labels, `out1` of the forward pass, the gradient of the
 * losses. Result: `out` [rows, classes] in `dtype`, which may be the memory of the logits if it is stored like them.
 */
export function crossEntropyBackward(
  problem: CrossEntropy,
  gradient: LossGradient,
  dtype: CrossEntropy['logits'] = problem.logits,
): Lowered {
  const { rows, classes, logits, labels, ignoreIndex, labelSmoothing } = problem;
  if (rows === 0) return nothing;
  const [T, O] = [cTypes[logits], cTypes[dtype]];
  const step = inEights(problem) && (classes * byteSize(dtype)) % 16 === 0 ? 8 : 1;
  const body = `
const int64 first = (int64)blockIdx.x * ${classes}, label = labels[blockIdx.x];
const bool counts = label != ${ignoreIndex};
const float normalizer = normalizers[blockIdx.x];
const float factor = counts ? to_float(gradient[${gradient.perRow ? 'blockIdx.x' : '0'}]) : 0.0f;
#pragma unroll 2
for (int column = threadIdx.x * ${step}; column < ${classes}; column += ${threads * step}) {
  float values[${step}];
  ${step === 8 ? 'load_eight(values, logits + first + column);' : 'values[0] = to_float(logits[first + column]);'}
  #pragma unroll
  for (int j = 0; j < ${step}; j++) {
    const float aim = (column + j == label ? ${float(1 - labelSmoothing)} : 0.0f)${labelSmoothing > 0 ? ` + ${float(labelSmoothing / classes)}` : ''};
    values[j] = counts ? (expf(values[j] - normalizer) - aim) * factor : 0.0f;
  }
  ${step === 8 ? 'store_eight(out + first + column, values);' : `out[first + column] = from_float<${O}>(values[0]);`}
}`;
  return {
    launches: [
      launch({
        name: 'cross_entropy_gradient',
        helpers: [loadEight],
        parameters: [
          reads(0, T, 'logits'),
          reads(1, cTypes[labels], 'labels'),
          reads(2, 'float', 'normalizers'),
          reads(3, cTypes[gradient.dtype], 'gradient'),
          writes('out', O, 'out'),
        ],
        body,
        blocks: rows,
        threads,
        inPlace: logits === dtype,
      }),
    ],
    temporaries: [],
  };
}
