import { cTypes } from '../c-types.js';
import { float, launch, writes } from '../launch-text.js';
import type { Lowered, PlannedLaunch } from '../lowered.js';
import { tensorCoreFunctions } from '../tensor-core.js';
import { fragmentFunctions, paddedWidth, rowPadding } from './fragments.js';
import { gradientDots, gradientParameters } from './gradient-dots.js';
import {
  type AttentionProblem,
  hasTerms,
  layoutOf,
  mayBeUnseen,
  plainScale,
  replacedText,
  rowsText,
  scoreText,
  termPointers,
  unseenScore,
} from './problem.js';

/**
 * Gradients of attention. Two passes that share no sums, so that nothing depends on the order in which blocks finish: one over
 * blocks of queries for dq, one over blocks of keys for dk and dv. Both compute the weights again from the scores, which
 * makes seven products where one pass with atomic additions would need five.
 */
export function tensorCoreBackward(problem: AttentionProblem): Lowered {
  const { batch, heads, queries } = problem;
  return {
    launches: [gradientDots(problem), queryGradient(problem), keyGradients(problem)],
    temporaries: [{ shape: [batch, heads, queries], dtype: 'float32' }],
  };
}

/** The expression of a weight from `score`, in place: its power of two. */
function weightText(problem: AttentionProblem, general: boolean): string {
  return general ? scoreText(problem) : `score *= ${plainScale(problem)};`;
}

function queryGradient(problem: AttentionProblem): PlannedLaunch {
  const { batch, heads, keyHeads, queries, keys, width: own, causal, dtype, scale } = problem;
  const width = paddedWidth(own)!;
  // Twice the rows for each tile that is read from shared memory, where registers suffice.
  const strips = width <= 64 && queries > 64 ? 2 : 1;
  const tileKeys = width <= 64 && strips === 1 ? 64 : 32;
  const warps = Math.min(4, Math.ceil(queries / 16));
  const rows = 16 * strips * warps;
  const threads = 32 * warps;
  const tiles = Math.ceil(keys / tileKeys);
  const blocks = Math.ceil(queries / rows);
  const tileSize = tileKeys * (width + rowPadding);
  const T = cTypes[dtype];
  const keyHead = `head / ${heads / keyHeads}`;
  const strideOf = (name: 'q' | 'k' | 'v' | 'out') => layoutOf(problem, name).row;
  const general = causal || hasTerms(problem);
  const again = mayBeUnseen(problem);
  const body = `
DYNAMIC_SHARED(memory);
${T}* tiles = (${T}*)memory;
const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
const int head = blockIdx.y, batch = blockIdx.z;
const int64 queryHead = (int64)batch * ${heads} + head;
const ${T}* ownKeys = ${rowsText(problem, 'k', 'k', keyHead)};
const ${T}* ownValues = ${rowsText(problem, 'v', 'v', keyHead)};
${termPointers(problem)}
const int block = ${causal ? `${blocks - 1} - (int)blockIdx.x` : '(int)blockIdx.x'};
const int firstRow = block * ${rows} + warp * ${16 * strips}, ownRow = firstRow + (lane >> 2);
uint32 left[${strips}][${width / 16}][4], cotangent[${strips}][${width / 16}][4];
load_fragments<${strips}, ${width}, ${own}, ${strideOf('q')}>(left, ${rowsText(problem, 'q', 'q', 'head')}, firstRow, ${queries});
load_fragments<${strips}, ${width}, ${own}, ${strideOf('out')}>(cotangent, ${rowsText(problem, 'out', 'dout', 'head')}, firstRow, ${queries});
float largest[${2 * strips}], total[${2 * strips}], dot[${2 * strips}];
${again ? 'bool unseen = false;' : ''}
#pragma unroll
for (int half = 0; half < ${2 * strips}; half++) {
  const int64 row = queryHead * ${queries} + min(ownRow + half * 8, ${queries - 1});
  largest[half] = statistics[row * 2];
  total[half] = statistics[row * 2 + 1];
  dot[half] = dots[row];
  ${again ? `unseen |= largest[half] < ${unseenScore};` : ''}
}
float sums[${strips}][${width / 8}][4] = {};
${causal ? `const int last = min(${queries}, (block + 1) * ${rows}) - 1 + ${keys - queries};\nint end = last < 0 ? 0 : min(${tiles}, last / ${tileKeys} + 1);` : `const int end = ${tiles};`}
${again ? `if (__syncthreads_or(unseen)) end = ${tiles};` : ''}
if (end > 0) {
  copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('k')}>(tiles, ownKeys, 0, ${keys});
  copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('v')}>(tiles + ${tileSize}, ownValues, 0, ${keys});
}
copy_async_commit();
for (int tile = 0, stage = 0; tile < end; tile++, stage ^= 1) {
  if (tile + 1 < end) {
    ${T}* next = tiles + (stage ^ 1) * ${2 * tileSize};
    copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('k')}>(next, ownKeys, (tile + 1) * ${tileKeys}, ${keys});
    copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('v')}>(next + ${tileSize}, ownValues, (tile + 1) * ${tileKeys}, ${keys});
  }
  copy_async_commit();
  copy_async_wait<1>();
  __syncthreads();
  const ${T}* present = tiles + stage * ${2 * tileSize};
  float scores[${strips}][${tileKeys / 8}][4] = {}, changes[${strips}][${tileKeys / 8}][4] = {};
  multiply_with_rows<${strips}, ${tileKeys}, ${width}>(scores, left, present);
  multiply_with_rows<${strips}, ${tileKeys}, ${width}>(changes, cotangent, present + ${tileSize});
  #pragma unroll
  for (int strip = 0; strip < ${strips}; strip++) {
    #pragma unroll
    for (int n = 0; n < ${tileKeys / 8}; n++) {
      #pragma unroll
      for (int part = 0; part < 4; part++) {
        const int key = tile * ${tileKeys} + n * 8 + (lane & 3) * 2 + (part & 1), half = strip * 2 + (part >> 1);
        ${general ? `const int query = min(ownRow + half * 8, ${queries - 1});` : ''}
        float score = scores[strip][n][part], change = 0.0f;
        if (key < ${keys}) {
          ${weightText(problem, general)}
          change = fast_exp2(score - largest[half] - total[half]) * (changes[strip][n][part] - dot[half]);
          ${replacedText(problem, 'change')}
        }
        scores[strip][n][part] = change;
      }
    }
  }
  add_weighted_rows<${strips}, ${tileKeys}, ${width}>(sums, scores, present);
  __syncthreads();
}
#pragma unroll
for (int strip = 0; strip < ${strips}; strip++)
  store_rows<${width}, ${own}, ${strideOf('q')}>(${rowsText(problem, 'q', 'dq', 'head')}, sums[strip], ${float(scale)}, ${float(scale)}, firstRow + strip * 16, ${queries});`;
  return launch({
    name: 'attention_query_gradient',
    helpers: [tensorCoreFunctions, fragmentFunctions],
    parameters: [...gradientParameters(problem), writes('out', T, 'dq')],
    body,
    blocks: [blocks, heads, batch],
    threads,
    sharedBytes: 4 * tileSize * 2,
  });
}

function keyGradients(problem: AttentionProblem): PlannedLaunch {
  const { batch, heads, keyHeads, queries, keys, width: own, causal, dtype, scale } = problem;
  const width = paddedWidth(own)!;
  const strips = width <= 64 && keys > 64 ? 2 : 1;
  const tileQueries = width <= 64 && strips === 1 ? 64 : width <= 128 ? 32 : 16;
  const warps = Math.min(4, Math.ceil(keys / 16));
  const rows = 16 * strips * warps;
  const threads = 32 * warps;
  const tiles = Math.ceil(queries / tileQueries);
  const group = heads / keyHeads;
  const pitch = width + rowPadding;
  const [keyTile, queryTile] = [rows * pitch, tileQueries * pitch];
  const T = cTypes[dtype];
  const keyHead = '(int)blockIdx.y';
  const strideOf = (name: 'q' | 'k' | 'v' | 'out') => layoutOf(problem, name).row;
  const general = causal || hasTerms(problem);
  const again = mayBeUnseen(problem);
  const stageBytes = 2 * queryTile * 2 + 3 * tileQueries * 4;
  const body = `
DYNAMIC_SHARED(memory);
${T}* ownTiles = (${T}*)memory;
unsigned char* stages = memory + ${2 * keyTile * 2};
const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
const int batch = blockIdx.z;
const int firstKey = blockIdx.x * ${rows};
copy_rows<${threads}, ${rows}, ${width}, ${own}, ${strideOf('k')}>(ownTiles, ${rowsText(problem, 'k', 'k', keyHead)}, firstKey, ${keys});
copy_rows<${threads}, ${rows}, ${width}, ${own}, ${strideOf('v')}>(ownTiles + ${keyTile}, ${rowsText(problem, 'v', 'v', keyHead)}, firstKey, ${keys});
copy_async_commit();
// The tiles of queries of all heads that share the keys, one after the other; each head's from the first that sees them.
${causal ? `const int reach = max(0, firstKey - ${keys - queries}) / ${tileQueries};` : ''}
const auto following = [&](int index) {
  ${
    causal
      ? `for (; index < ${group * tiles}; index++) {
    if (index % ${tiles} >= reach) break;
    ${
      again
        ? `const int64 head = (int64)batch * ${heads} + (int)blockIdx.y * ${group} + index / ${tiles};
    bool unseen = false;
    for (int i = threadIdx.x; i < ${tileQueries}; i += ${threads}) {
      const int query = index % ${tiles} * ${tileQueries} + i;
      unseen |= query < ${queries} && statistics[(head * ${queries} + query) * 2] < ${unseenScore};
    }
    if (__syncthreads_or(unseen)) break;`
        : ''
    }
  }`
      : ''
  }
  return index;
};
const auto fetch = [&](int index, int stage) {
  const int head = (int)blockIdx.y * ${group} + index / ${tiles};
  const int first = index % ${tiles} * ${tileQueries};
  unsigned char* to = stages + stage * ${stageBytes};
  copy_rows<${threads}, ${tileQueries}, ${width}, ${own}, ${strideOf('q')}>((${T}*)to, ${rowsText(problem, 'q', 'q', 'head')}, first, ${queries});
  copy_rows<${threads}, ${tileQueries}, ${width}, ${own}, ${strideOf('out')}>((${T}*)to + ${queryTile}, ${rowsText(problem, 'out', 'dout', 'head')}, first, ${queries});
  float* numbers = (float*)(to + ${2 * queryTile * 2});
  for (int i = threadIdx.x; i < ${tileQueries}; i += ${threads}) {
    const bool there = first + i < ${queries};
    const int64 row = ((int64)batch * ${heads} + head) * ${queries} + first + i;
    // Rows beyond the end weigh nothing.
    numbers[i] = there ? statistics[row * 2] : __uint_as_float(0x7f800000u);
    numbers[${tileQueries} + i] = there ? statistics[row * 2 + 1] : 0.0f;
    numbers[${2 * tileQueries} + i] = there ? dots[row] : 0.0f;
  }
};
float keySums[${strips}][${width / 8}][4] = {}, valueSums[${strips}][${width / 8}][4] = {};
int index = following(0), stage = 0;
if (index < ${group * tiles}) fetch(index, 0);
copy_async_commit();
while (index < ${group * tiles}) {
  const int next = following(index + 1);
  if (next < ${group * tiles}) fetch(next, stage ^ 1);
  copy_async_commit();
  copy_async_wait<1>();
  __syncthreads();
  const unsigned char* present = stages + stage * ${stageBytes};
  const ${T}* tile = (const ${T}*)present;
  const float* numbers = (const float*)(present + ${2 * queryTile * 2});
  ${hasTerms(problem) ? `const int head = (int)blockIdx.y * ${group} + index / ${tiles};\n${termPointers(problem)}` : ''}
  float weights[${strips}][${tileQueries / 8}][4] = {}, changes[${strips}][${tileQueries / 8}][4] = {};
  multiply_tiles<${strips}, ${tileQueries}, ${width}>(weights, ownTiles + warp * ${16 * strips * pitch}, tile);
  multiply_tiles<${strips}, ${tileQueries}, ${width}>(changes, ownTiles + ${keyTile} + warp * ${16 * strips * pitch}, tile + ${queryTile});
  #pragma unroll
  for (int strip = 0; strip < ${strips}; strip++) {
    #pragma unroll
    for (int n = 0; n < ${tileQueries / 8}; n++) {
      #pragma unroll
      for (int part = 0; part < 4; part++) {
        const int column = n * 8 + (lane & 3) * 2 + (part & 1);
        ${
          general
            ? `const int query = min(index % ${tiles} * ${tileQueries} + column, ${queries - 1});
        const int key = min(firstKey + warp * ${16 * strips} + strip * 16 + (lane >> 2) + (part >> 1) * 8, ${keys - 1});`
            : ''
        }
        float score = weights[strip][n][part];
        ${weightText(problem, general)}
        const float weight = fast_exp2(score - numbers[column] - numbers[${tileQueries} + column]);
        float change = weight * (changes[strip][n][part] - numbers[${2 * tileQueries} + column]);
        ${replacedText(problem, 'change')}
        weights[strip][n][part] = weight;
        changes[strip][n][part] = change;
      }
    }
  }
  add_weighted_rows<${strips}, ${tileQueries}, ${width}>(valueSums, weights, tile + ${queryTile});
  add_weighted_rows<${strips}, ${tileQueries}, ${width}>(keySums, changes, tile);
  __syncthreads();
  index = next;
  stage ^= 1;
}
#pragma unroll
for (int strip = 0; strip < ${strips}; strip++) {
  const int first = firstKey + warp * ${16 * strips} + strip * 16;
  store_rows<${width}, ${own}, ${strideOf('k')}>(${rowsText(problem, 'k', 'dk', keyHead)}, keySums[strip], ${float(scale)}, ${float(scale)}, first, ${keys});
  store_rows<${width}, ${own}, ${strideOf('v')}>(${rowsText(problem, 'v', 'dv', keyHead)}, valueSums[strip], 1.0f, 1.0f, first, ${keys});
}`;
  return launch({
    name: 'attention_key_gradients',
    helpers: [tensorCoreFunctions, fragmentFunctions],
    parameters: [...gradientParameters(problem), writes('out1', T, 'dk'), writes('out2', T, 'dv')],
    body,
    blocks: [Math.ceil(keys / rows), keyHeads, batch],
    threads,
    sharedBytes: 2 * keyTile * 2 + 2 * stageBytes,
  });
}
