import { cTypes } from '../c-types.js';
import { launch, reads, writes } from '../launch-text.js';
import type { PlannedLaunch } from '../lowered.js';
import { strided } from '../product.js';
import { tensorCoreFunctions } from '../tensor-core.js';
import { fetchRows, plainColumns, plainPitch, plainRows, plainThreads, plainTile } from './plain-text.js';
import {
  type AttentionProblem,
  layoutOf,
  mayBeUnseen,
  rowsText,
  scoreText,
  termParameters,
  termPointers,
  unseenScore,
} from './problem.js';
import { type Split, splitParameters, visibleText } from './split.js';

/**
 * Attention in tiles, all in float: any width, any storage. Eight threads a query, 32 keys at a time. With a split each block
 * takes a share of the keys and leaves its sums to be put together.
 */
export function plainForward(problem: AttentionProblem, split?: Split): PlannedLaunch {
  const { batch, heads, keyHeads, queries, width, causal, dtype } = problem;
  const T = cTypes[dtype];
  const blocks = Math.ceil(queries / plainRows);
  const parts = split?.parts ?? 1;
  const pitch = plainPitch(problem);
  const columns = plainColumns(problem);
  const keyHead = `head / ${heads / keyHeads}`;
  const strideOf = (name: 'q' | 'k' | 'v' | 'out') => layoutOf(problem, name).row;
  const again = !split && mayBeUnseen(problem);
  const body = `
DYNAMIC_SHARED(memory);
float* ownQueries = (float*)memory;
float* keyTile = ownQueries + ${plainRows * pitch};
float* valueTile = keyTile + ${plainTile * pitch};
float* ownWeights = valueTile + ${plainTile * pitch} + (threadIdx.x >> 3) * ${plainTile + 1};
const int row = threadIdx.x >> 3, part = threadIdx.x & 7;
const int head = blockIdx.y, batch = blockIdx.z, block = blockIdx.x / ${parts};
const int64 queryHead = (int64)batch * ${heads} + head;
const ${T}* ownKeys = ${rowsText(problem, 'k', 'k', keyHead)};
const ${T}* ownValues = ${rowsText(problem, 'v', 'v', keyHead)};
${termPointers(problem)}
const int firstQuery = block * ${plainRows}, query = firstQuery + row;
fetch_rows<${plainRows}, ${width}, ${strideOf('q')}>(ownQueries, ${rowsText(problem, 'q', 'q', 'head')}, firstQuery, ${queries});
float sums[${columns}] = {}, largest = __uint_as_float(0xff800000u), total = 0.0f;
${visibleText(problem, split)}
${
  split
    ? `const int share = (count + ${parts * plainTile - 1}) / ${parts * plainTile} * ${plainTile};
int tile = (int)(blockIdx.x % ${parts}) * share;
const int end = min(count, tile + share);`
    : `int tile = 0;
${causal ? `const int visible = max(0, min(count, firstQuery + ${plainRows} + count - ${queries}));` : ''}
${again ? 'for (int round = 0; round < 2; round++)' : ''}`
}
{
  ${again ? `if (round == 1 && !__syncthreads_or(query < ${queries} && largest < ${unseenScore})) break;` : ''}
  ${split ? '' : `const int end = ${again ? 'round == 0 ? visible : count' : causal ? 'visible' : 'count'};`}
  for (; tile < end; tile += ${plainTile}) {
    __syncthreads();
    fetch_rows<${plainTile}, ${width}, ${strideOf('k')}>(keyTile, ownKeys, tile, count);
    fetch_rows<${plainTile}, ${width}, ${strideOf('v')}>(valueTile, ownValues, tile, count);
    __syncthreads();
    float scores[${plainTile / 8}];
    row_products<${width}>(scores, ownQueries + row * ${pitch}, keyTile, part);
    float most = largest;
    #pragma unroll
    for (int i = 0; i < ${plainTile / 8}; i++) {
      const int key = tile + part + 8 * i;
      float score = scores[i];
      if (query < ${queries} && key < count) { ${scoreText(problem, 'beyond')} } else { score = __uint_as_float(0xff800000u); }
      scores[i] = score;
      most = fmaxf(most, score);
    }
    most = max_of_eight(most);
    // Nothing but minus infinity yet: any finite number keeps the weights at 0.
    const float base = most == __uint_as_float(0xff800000u) ? 0.0f : most;
    const float faded = fast_exp2(largest - base);
    largest = most;
    total *= faded;
    #pragma unroll
    for (int i = 0; i < ${plainTile / 8}; i++) {
      const float weight = fast_exp2(scores[i] - base);
      total += weight;
      ownWeights[part + 8 * i] = weight;
    }
    #pragma unroll
    for (int i = 0; i < ${columns}; i++) sums[i] *= faded;
    __syncwarp();
    add_rows<${width}>(sums, ownWeights, valueTile, part);
  }
}
total = sum_of_eight(total);
if (query >= ${queries}) return;
${
  split
    ? `const int64 place = (int64)(blockIdx.x % ${parts}) * ${batch * heads * queries} + queryHead * ${queries} + query;
for (int i = 0, column = part; column < ${width}; i++, column += 8) partial[place * ${width} + column] = sums[i];
if (part == 0) { parts[place * 2] = largest; parts[place * 2 + 1] = total; }`
    : `const int64 place = queryHead * ${queries} + query;
${T}* ownOut = ${rowsText(problem, 'out', 'out', 'head')} + ${strided('query', strideOf('out'))};
for (int i = 0, column = part; column < ${width}; i++, column += 8) ownOut[column] = from_float<${T}>(sums[i] / total);
if (part == 0) { statistics[place * 2] = largest; statistics[place * 2 + 1] = log2f(total); }`
}`;
  return launch({
    name: 'plain_attention',
    helpers: [tensorCoreFunctions, fetchRows],
    parameters: [
      reads(0, T, 'q'),
      reads(1, T, 'k'),
      reads(2, T, 'v'),
      ...termParameters(problem, 3),
      ...(split ? splitParameters(problem, split) : [writes('out', T, 'out'), writes('out1', 'float', 'statistics')]),
    ],
    body,
    blocks: [blocks * parts, heads, batch],
    threads: plainThreads,
    sharedBytes: 4 * ((plainRows + 2 * plainTile) * pitch + plainRows * (plainTile + 1)),
  });
}
