import { cTypes } from '../c-types.js';
import { launch, reads, wordTypes } from '../launch-text.js';
import type { PlannedLaunch } from '../lowered.js';
import { strided } from '../product.js';
import { tensorCoreFunctions } from '../tensor-core.js';
import { fragmentsFit } from './fragments.js';
import { type AttentionProblem, layoutOf, rowsText, scoreText, termParameters, termPointers } from './problem.js';
import { type Split, splitParameters, visibleText } from './split.js';

/** Widths whose rows split into what the lanes of a warp read: multiples of 64, up to 128. */
export function decodesOnTensorCores(problem: AttentionProblem): boolean {
  const { width, heads, keyHeads, queries } = problem;
  return fragmentsFit(problem) && (width === 64 || width === 128) && (heads / keyHeads) * queries <= 16;
}

/**
 * Few queries against a long cache. All queries of the heads that share a key head are the 16 rows of one left factor, so that
 * the cache is read once; it goes from memory into fragments, 16 bytes a lane, without shared memory. That puts columns and
 * keys of the factors into another order than that of the instruction's fragments, which is the same order on both sides of
 * the products. Each warp takes 16 keys at a time; the sums of a block's warps are put together, then those of the blocks.
 */
export function tensorCoreDecode(problem: AttentionProblem, split: Split): PlannedLaunch {
  const { batch, heads, keyHeads, queries, width, dtype } = problem;
  const T = cTypes[dtype];
  const group = heads / keyHeads;
  const rows = group * queries;
  const warps = 4;
  const { parts } = split;
  const chunks = width / 64;
  const strideOf = (name: 'q' | 'k' | 'v') => layoutOf(problem, name).row;
  const infinite = '__uint_as_float(0xff800000u)';
  const body = `
__shared__ float warpLargest[${warps}][16], warpTotal[${warps}][16];
__shared__ float joined[${rows}][${width}];
const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, group = lane >> 2, quad = lane & 3;
const int batch = blockIdx.z;
const ${T}* ownKeys = ${rowsText(problem, 'k', 'k', '(int)blockIdx.y')};
const ${T}* ownValues = ${rowsText(problem, 'v', 'v', '(int)blockIdx.y')};
// Row r is query r % queries of head r / queries of the group. Columns 8 quad + 32 j ... are a lane's.
uint32 left[${width / 32}][2][4];
#pragma unroll
for (int j = 0; j < ${width / 32}; j++) {
  #pragma unroll
  for (int half = 0; half < 2; half++) {
    const int row = group + half * 8, head = (int)blockIdx.y * ${group} + row / ${queries};
    const ${T}* ownQuery = ${rowsText(problem, 'q', 'q', 'head')} + ${strided(`row % ${queries}`, strideOf('q'))};
    #pragma unroll
    for (int word = 0; word < 4; word++)
      left[j][word >> 1][half + (word & 1) * 2] = row < ${rows}
        ? *(const uint32*)(ownQuery + j * 32 + quad * 8 + word * 2) : 0u;
  }
}
float sums[${width / 8}][4] = {};
float largest[2] = { ${infinite}, ${infinite} }, total[2] = { 0.0f, 0.0f };
${visibleText(problem, split)}
const int share = (count + ${parts * warps * 16 - 1}) / ${parts * warps * 16} * ${warps * 16};
const int begin = (int)blockIdx.x * share, end = min(count, begin + share);
for (int first = begin + warp * 16; first < end; first += ${warps * 16}) {
  float scores[2][4] = {};
  bytes16 values[4][${chunks}];
  #pragma unroll
  for (int n = 0; n < 2; n++) {
    const int key = min(first + n * 8 + group, end - 1);
    #pragma unroll
    for (int j = 0; j < ${width / 32}; j++) {
      const bytes16 read = *(const bytes16*)(ownKeys + ${strided('key', strideOf('k'))} + j * 32 + quad * 8);
      const uint32 low[2] = { read.words[0], read.words[1] }, high[2] = { read.words[2], read.words[3] };
      multiply_fragments(q, scores[n], left[j][0], low);
      multiply_fragments(q, scores[n], left[j][1], high);
    }
  }
  #pragma unroll
  for (int each = 0; each < 4; each++) {
    const int key = min(first + (each >> 1) * 8 + quad * 2 + (each & 1), end - 1);
    #pragma unroll
    for (int chunk = 0; chunk < ${chunks}; chunk++)
      values[each][chunk] = *(const bytes16*)(ownValues + ${strided('key', strideOf('v'))} + chunk * 64 + group * 8);
  }
  #pragma unroll
  for (int half = 0; half < 2; half++) {
    const int row = min(group + half * 8, ${rows - 1}), query = row % ${queries}, head = (int)blockIdx.y * ${group} + row / ${queries};
    (void)query;
    ${termPointers(problem)}
    float most = largest[half];
    #pragma unroll
    for (int n = 0; n < 2; n++) {
      #pragma unroll
      for (int part = half * 2; part < half * 2 + 2; part++) {
        const int key = first + n * 8 + quad * 2 + (part & 1);
        float score = scores[n][part];
        if (key < end) { ${scoreText(problem, 'beyond')} } else { score = ${infinite}; }
        scores[n][part] = score;
        most = fmaxf(most, score);
      }
    }
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
    const float base = most == ${infinite} ? 0.0f : most;
    const float faded = fast_exp2(largest[half] - base);
    largest[half] = most;
    total[half] *= faded;
    #pragma unroll
    for (int n = 0; n < 2; n++) {
      #pragma unroll
      for (int part = half * 2; part < half * 2 + 2; part++) {
        scores[n][part] = fast_exp2(scores[n][part] - base);
        total[half] += scores[n][part];
      }
    }
    #pragma unroll
    for (int n = 0; n < ${width / 8}; n++) { sums[n][half * 2] *= faded; sums[n][half * 2 + 1] *= faded; }
  }
  const uint32 weights[4] = {
    pack(q, scores[0][0], scores[0][1]), pack(q, scores[0][2], scores[0][3]),
    pack(q, scores[1][0], scores[1][1]), pack(q, scores[1][2], scores[1][3]),
  };
  // Column 64 chunk + 8 group + i of the values is column group of product 8 chunk + i.
  #pragma unroll
  for (int chunk = 0; chunk < ${chunks}; chunk++) {
    #pragma unroll
    for (int i = 0; i < 8; i++) {
      const uint32 selector = i & 1 ? 0x7632u : 0x5410u;
      const uint32 right[2] = {
        __byte_perm(values[0][chunk].words[i >> 1], values[1][chunk].words[i >> 1], selector),
        __byte_perm(values[2][chunk].words[i >> 1], values[3][chunk].words[i >> 1], selector),
      };
      multiply_fragments(q, sums[chunk * 8 + i], weights, right);
    }
  }
}
#pragma unroll
for (int half = 0; half < 2; half++) {
  total[half] += __shfl_xor_sync(0xffffffffu, total[half], 1);
  total[half] += __shfl_xor_sync(0xffffffffu, total[half], 2);
  if (quad == 0) { warpLargest[warp][group + half * 8] = largest[half]; warpTotal[warp][group + half * 8] = total[half]; }
}
__syncthreads();
float factor[2];
#pragma unroll
for (int half = 0; half < 2; half++) {
  const int row = group + half * 8;
  float most = ${infinite}, all = 0.0f;
  for (int each = 0; each < ${warps}; each++) most = fmaxf(most, warpLargest[each][row]);
  const float base = most == ${infinite} ? 0.0f : most;
  for (int each = 0; each < ${warps}; each++) all += warpTotal[each][row] * fast_exp2(warpLargest[each][row] - base);
  factor[half] = fast_exp2(largest[half] - base);
  if (warp == 0 && quad == 0 && row < ${rows}) {
    const int64 place = (int64)blockIdx.x * ${batch * heads * queries} + ((int64)batch * ${heads} + (int)blockIdx.y * ${group}) * ${queries} + row;
    parts[place * 2] = most;
    parts[place * 2 + 1] = all;
  }
}
for (int each = 0; each < ${warps}; each++) {
  if (warp == each) {
    #pragma unroll
    for (int n = 0; n < ${width / 8}; n++) {
      #pragma unroll
      for (int part = 0; part < 4; part++) {
        // Columns of the result are columns group of the right factor.
        const int row = group + (part >> 1) * 8, column = (n >> 3) * 64 + (quad * 2 + (part & 1)) * 8 + (n & 7);
        const float own = sums[n][part] * factor[part >> 1];
        if (row < ${rows}) joined[row][column] = each == 0 ? own : joined[row][column] + own;
      }
    }
  }
  __syncthreads();
}
const int64 firstRow = (int64)blockIdx.x * ${batch * heads * queries} + ((int64)batch * ${heads} + (int)blockIdx.y * ${group}) * ${queries};
for (int i = threadIdx.x; i < ${rows * width}; i += ${warps * 32}) partial[firstRow * ${width} + i] = joined[i / ${width}][i % ${width}];`;
  return launch({
    name: 'attention_decode',
    helpers: [wordTypes, tensorCoreFunctions],
    parameters: [
      reads(0, T, 'q'),
      reads(1, T, 'k'),
      reads(2, T, 'v'),
      ...termParameters(problem, 3),
      ...splitParameters(problem, split),
    ],
    body,
    blocks: [parts, keyHeads, batch],
    threads: warps * 32,
  });
}
