import { cTypes } from '../c-types.js';
import { launch, reads, writes } from '../launch-text.js';
import type { PlannedLaunch } from '../lowered.js';
import { tensorCoreFunctions } from '../tensor-core.js';
import { fragmentFunctions, paddedWidth, rowPadding } from './fragments.js';
import {
  type AttentionProblem,
  hasTerms,
  layoutOf,
  mayBeUnseen,
  plainScale,
  rowsText,
  scoreText,
  termParameters,
  termPointers,
  unseenScore,
} from './problem.js';

/**
 * Attention in tiles (Dao, FlashAttention-2, 2023): a warp holds 16 or 32 queries and their sums as fragments, keys and
 * values stream through shared memory, two tiles of each. Causal: tiles that no query sees are left out, and the longest
 * blocks start first.
 */
export function tensorCoreForward(problem: AttentionProblem): PlannedLaunch {
  const { batch, heads, keyHeads, queries, keys, width: own, causal, dtype } = problem;
  const width = paddedWidth(own)!;
  const tileKeys = width <= 128 ? 64 : 32;
  const strips = width <= 64 && queries > 64 ? 2 : 1;
  const warps = strips === 2 ? 4 : queries > 64 && width <= 128 ? 8 : Math.min(4, Math.ceil(queries / 16));
  const rows = 16 * strips * warps;
  const threads = 32 * warps;
  const tiles = Math.ceil(keys / tileKeys);
  const blocks = Math.ceil(queries / rows);
  const tileSize = tileKeys * (width + rowPadding);
  const T = cTypes[dtype];
  const keyHead = `head / ${heads / keyHeads}`;
  const strideOf = (name: 'q' | 'k' | 'v' | 'out') => layoutOf(problem, name).row;
  const terms = hasTerms(problem);
  const again = mayBeUnseen(problem);
  const edge = [
    keys % tileKeys ? `first + ${tileKeys} > ${keys}` : '',
    causal ? `first + ${tileKeys - 1} > firstRow + ${keys - queries}` : '',
  ].filter(Boolean);
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
uint32 left[${strips}][${width / 16}][4];
load_fragments<${strips}, ${width}, ${own}, ${strideOf('q')}>(left, ${rowsText(problem, 'q', 'q', 'head')}, firstRow, ${queries});
float sums[${strips}][${width / 8}][4] = {};
float largest[${strips}][2], total[${strips}][2];
#pragma unroll
for (int strip = 0; strip < ${strips}; strip++)
  #pragma unroll
  for (int half = 0; half < 2; half++) { largest[strip][half] = __uint_as_float(0xff800000u); total[strip][half] = 0.0f; }
${causal ? `const int last = min(${queries}, (block + 1) * ${rows}) - 1 + ${keys - queries};\nconst int visible = last < 0 ? 0 : min(${tiles}, last / ${tileKeys} + 1);` : ''}
int tile = 0;
${again ? 'for (int round = 0; round < 2; round++)' : ''} {
  ${
    again
      ? `if (round == 1) {
    bool unseen = false;
    for (int strip = 0; strip < ${strips}; strip++)
      for (int half = 0; half < 2; half++)
        unseen |= ownRow + strip * 16 + half * 8 < ${queries} && largest[strip][half] < ${unseenScore};
    if (!__syncthreads_or(unseen)) break;
  }`
      : ''
  }
  const int end = ${again ? `round == 0 ? visible : ${tiles}` : causal ? 'visible' : tiles};
  int stage = 0;
  if (tile < end) {
    copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('k')}>(tiles, ownKeys, tile * ${tileKeys}, ${keys});
    copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('v')}>(tiles + ${tileSize}, ownValues, tile * ${tileKeys}, ${keys});
  }
  copy_async_commit();
  for (; tile < end; tile++, stage ^= 1) {
    if (tile + 1 < end) {
      ${T}* next = tiles + (stage ^ 1) * ${2 * tileSize};
      copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('k')}>(next, ownKeys, (tile + 1) * ${tileKeys}, ${keys});
      copy_rows<${threads}, ${tileKeys}, ${width}, ${own}, ${strideOf('v')}>(next + ${tileSize}, ownValues, (tile + 1) * ${tileKeys}, ${keys});
    }
    copy_async_commit();
    copy_async_wait<1>();
    __syncthreads();
    const ${T}* present = tiles + stage * ${2 * tileSize};
    float scores[${strips}][${tileKeys / 8}][4] = {};
    multiply_with_rows<${strips}, ${tileKeys}, ${width}>(scores, left, present);
    ${terms || edge.length > 0 ? `const int first = tile * ${tileKeys};` : ''}
    #pragma unroll
    for (int strip = 0; strip < ${strips}; strip++) {
      ${
        terms || edge.length > 0
          ? `${terms ? '' : `if (${edge.join(' || ')}) `}{
        #pragma unroll
        for (int n = 0; n < ${tileKeys / 8}; n++) {
          #pragma unroll
          for (int part = 0; part < 4; part++) {
            const int key = first + n * 8 + (lane & 3) * 2 + (part & 1);
            const int query = min(ownRow + strip * 16 + (part >> 1) * 8, ${queries - 1});
            float score = scores[strip][n][part];
            if (key < ${keys}) { ${scoreText(problem)} } else { score = __uint_as_float(0xff800000u); }
            scores[strip][n][part] = score;
          }
        }
      }`
          : ''
      }${
        terms
          ? ''
          : `${edge.length > 0 ? ' else ' : ''}{
        #pragma unroll
        for (int n = 0; n < ${tileKeys / 8}; n++)
          #pragma unroll
          for (int part = 0; part < 4; part++) scores[strip][n][part] *= ${plainScale(problem)};
      }`
      }
      #pragma unroll
      for (int half = 0; half < 2; half++) {
        float most = largest[strip][half];
        #pragma unroll
        for (int n = 0; n < ${tileKeys / 8}; n++) most = fmaxf(most, fmaxf(scores[strip][n][half * 2], scores[strip][n][half * 2 + 1]));
        most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
        most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
        // Nothing but minus infinity yet: any finite number keeps the weights at 0.
        const float base = most == __uint_as_float(0xff800000u) ? 0.0f : most;
        const float faded = fast_exp2(largest[strip][half] - base);
        largest[strip][half] = most;
        float added = 0.0f;
        #pragma unroll
        for (int n = 0; n < ${tileKeys / 8}; n++) {
          #pragma unroll
          for (int part = half * 2; part < half * 2 + 2; part++) {
            const float weight = fast_exp2(scores[strip][n][part] - base);
            scores[strip][n][part] = weight;
            added += weight;
          }
        }
        total[strip][half] = total[strip][half] * faded + added;
        #pragma unroll
        for (int n = 0; n < ${width / 8}; n++) { sums[strip][n][half * 2] *= faded; sums[strip][n][half * 2 + 1] *= faded; }
      }
    }
    add_weighted_rows<${strips}, ${tileKeys}, ${width}>(sums, scores, present + ${tileSize});
    __syncthreads();
  }
}
#pragma unroll
for (int strip = 0; strip < ${strips}; strip++) {
  float inverse[2];
  #pragma unroll
  for (int half = 0; half < 2; half++) {
    float all = total[strip][half];
    all += __shfl_xor_sync(0xffffffffu, all, 1);
    all += __shfl_xor_sync(0xffffffffu, all, 2);
    inverse[half] = 1.0f / all;
    const int row = ownRow + strip * 16 + half * 8;
    if ((lane & 3) == 0 && row < ${queries}) {
      float* own = statistics + (queryHead * ${queries} + row) * 2;
      own[0] = largest[strip][half];
      own[1] = log2f(all);
    }
  }
  store_rows<${width}, ${own}, ${strideOf('out')}>(${rowsText(problem, 'out', 'out', 'head')}, sums[strip], inverse[0], inverse[1], firstRow + strip * 16, ${queries});
}`;
  return launch({
    name: 'attention',
    helpers: [tensorCoreFunctions, fragmentFunctions],
    parameters: [
      reads(0, T, 'q'),
      reads(1, T, 'k'),
      reads(2, T, 'v'),
      ...termParameters(problem, 3),
      writes('out', T, 'out'),
      writes('out1', 'float', 'statistics'),
    ],
    body,
    blocks: [blocks, heads, batch],
    threads,
    sharedBytes: 4 * tileSize * 2,
  });
}
