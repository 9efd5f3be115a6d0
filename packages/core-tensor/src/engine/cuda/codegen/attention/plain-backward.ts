import { cTypes } from '../c-types.js';
import { float, launch, writes } from '../launch-text.js';
import type { Lowered, PlannedLaunch } from '../lowered.js';
import { strided } from '../product.js';
import { tensorCoreFunctions } from '../tensor-core.js';
import { gradientDots, gradientParameters } from './gradient-dots.js';
import { fetchRows, plainColumns, plainPitch, plainRows, plainThreads, plainTile } from './plain-text.js';
import {
  type AttentionProblem,
  layoutOf,
  mayBeUnseen,
  replacedText,
  rowsText,
  scoreText,
  termPointers,
  unseenScore,
} from './problem.js';

/** Gradients of attention in float, in the two passes of the tensor cores' version. */
export function plainBackward(problem: AttentionProblem): Lowered {
  const { batch, heads, queries } = problem;
  return {
    launches: [gradientDots(problem), queryGradient(problem), keyGradients(problem)],
    temporaries: [{ shape: [batch, heads, queries], dtype: 'float32' }],
  };
}

function sharedBytes(problem: AttentionProblem): number {
  return 4 * ((2 * plainRows + 2 * plainTile) * plainPitch(problem) + plainRows * 2 * (plainTile + 1));
}

/** Four matrices of rows and two rows of weights for each of a block's rows. */
function memoryText(problem: AttentionProblem): string {
  const pitch = plainPitch(problem);
  return `
DYNAMIC_SHARED(memory);
float* ownFirst = (float*)memory;
float* ownSecond = ownFirst + ${plainRows * pitch};
float* tileFirst = ownSecond + ${plainRows * pitch};
float* tileSecond = tileFirst + ${plainTile * pitch};
float* ownWeights = tileSecond + ${plainTile * pitch} + (threadIdx.x >> 3) * ${2 * (plainTile + 1)};
float* ownChanges = ownWeights + ${plainTile + 1};
(void)ownWeights;
const int row = threadIdx.x >> 3, part = threadIdx.x & 7;`;
}

function queryGradient(problem: AttentionProblem): PlannedLaunch {
  const { batch, heads, keyHeads, queries, keys, width, causal, dtype, scale } = problem;
  const T = cTypes[dtype];
  const pitch = plainPitch(problem);
  const columns = plainColumns(problem);
  const keyHead = `head / ${heads / keyHeads}`;
  const strideOf = (name: 'q' | 'k' | 'v' | 'out') => layoutOf(problem, name).row;
  const body = `${memoryText(problem)}
const int head = blockIdx.y, batch = blockIdx.z;
const int64 queryHead = (int64)batch * ${heads} + head;
${termPointers(problem)}
const int firstQuery = blockIdx.x * ${plainRows}, query = firstQuery + row;
fetch_rows<${plainRows}, ${width}, ${strideOf('q')}>(ownFirst, ${rowsText(problem, 'q', 'q', 'head')}, firstQuery, ${queries});
fetch_rows<${plainRows}, ${width}, ${strideOf('out')}>(ownSecond, ${rowsText(problem, 'out', 'dout', 'head')}, firstQuery, ${queries});
const int64 place = queryHead * ${queries} + min(query, ${queries - 1});
const float largest = statistics[place * 2], total = statistics[place * 2 + 1], dot = dots[place];
int end = ${causal ? `max(0, min(${keys}, firstQuery + ${plainRows + keys - queries}))` : keys};
${mayBeUnseen(problem) ? `if (__syncthreads_or(largest < ${unseenScore})) end = ${keys};` : ''}
float sums[${columns}] = {};
for (int tile = 0; tile < end; tile += ${plainTile}) {
  __syncthreads();
  fetch_rows<${plainTile}, ${width}, ${strideOf('k')}>(tileFirst, ${rowsText(problem, 'k', 'k', keyHead)}, tile, ${keys});
  fetch_rows<${plainTile}, ${width}, ${strideOf('v')}>(tileSecond, ${rowsText(problem, 'v', 'v', keyHead)}, tile, ${keys});
  __syncthreads();
  float scores[${plainTile / 8}], changes[${plainTile / 8}];
  row_products<${width}>(scores, ownFirst + row * ${pitch}, tileFirst, part);
  row_products<${width}>(changes, ownSecond + row * ${pitch}, tileSecond, part);
  #pragma unroll
  for (int i = 0; i < ${plainTile / 8}; i++) {
    const int key = tile + part + 8 * i;
    float score = scores[i], change = 0.0f;
    if (query < ${queries} && key < ${keys}) {
      ${scoreText(problem)}
      change = fast_exp2(score - largest - total) * (changes[i] - dot);
      ${replacedText(problem, 'change')}
    }
    ownChanges[part + 8 * i] = change;
  }
  __syncwarp();
  add_rows<${width}>(sums, ownChanges, tileFirst, part);
}
${T}* ownOut = ${rowsText(problem, 'q', 'dq', 'head')} + ${strided('query', strideOf('q'))};
if (query < ${queries})
  for (int i = 0, column = part; column < ${width}; i++, column += 8) ownOut[column] = from_float<${T}>(sums[i] * ${float(scale)});`;
  return launch({
    name: 'plain_attention_query_gradient',
    helpers: [tensorCoreFunctions, fetchRows],
    parameters: [...gradientParameters(problem), writes('out', T, 'dq')],
    body,
    blocks: [Math.ceil(queries / plainRows), heads, batch],
    threads: plainThreads,
    sharedBytes: sharedBytes(problem),
  });
}

function keyGradients(problem: AttentionProblem): PlannedLaunch {
  const { batch, heads, keyHeads, queries, keys, width, causal, dtype, scale } = problem;
  const T = cTypes[dtype];
  const pitch = plainPitch(problem);
  const columns = plainColumns(problem);
  const keyHead = '(int)blockIdx.y';
  const strideOf = (name: 'q' | 'k' | 'v' | 'out') => layoutOf(problem, name).row;
  const group = heads / keyHeads;
  const skips = causal
    ? `if (tile + ${plainTile - 1} + ${keys - queries} < firstKey) {
      ${
        mayBeUnseen(problem)
          ? `bool unseen = false;
      for (int i = threadIdx.x; i < ${plainTile} && tile + i < ${queries}; i += ${plainThreads})
        unseen |= statistics[(queryHead * ${queries} + tile + i) * 2] < ${unseenScore};
      if (!__syncthreads_or(unseen)) continue;`
          : 'continue;'
      }
    }`
    : '';
  const body = `${memoryText(problem)}
const int batch = blockIdx.z;
const int firstKey = blockIdx.x * ${plainRows}, key = firstKey + row;
fetch_rows<${plainRows}, ${width}, ${strideOf('k')}>(ownFirst, ${rowsText(problem, 'k', 'k', keyHead)}, firstKey, ${keys});
fetch_rows<${plainRows}, ${width}, ${strideOf('v')}>(ownSecond, ${rowsText(problem, 'v', 'v', keyHead)}, firstKey, ${keys});
float keySums[${columns}] = {}, valueSums[${columns}] = {};
for (int each = 0; each < ${group}; each++) {
  const int head = (int)blockIdx.y * ${group} + each;
  const int64 queryHead = (int64)batch * ${heads} + head;
  ${termPointers(problem)}
  for (int tile = 0; tile < ${queries}; tile += ${plainTile}) {
    ${skips}
    __syncthreads();
    fetch_rows<${plainTile}, ${width}, ${strideOf('q')}>(tileFirst, ${rowsText(problem, 'q', 'q', 'head')}, tile, ${queries});
    fetch_rows<${plainTile}, ${width}, ${strideOf('out')}>(tileSecond, ${rowsText(problem, 'out', 'dout', 'head')}, tile, ${queries});
    __syncthreads();
    float scores[${plainTile / 8}], changes[${plainTile / 8}];
    row_products<${width}>(scores, ownFirst + row * ${pitch}, tileFirst, part);
    row_products<${width}>(changes, ownSecond + row * ${pitch}, tileSecond, part);
    #pragma unroll
    for (int i = 0; i < ${plainTile / 8}; i++) {
      const int query = tile + part + 8 * i;
      float score = scores[i], weight = 0.0f, change = 0.0f;
      if (query < ${queries} && key < ${keys}) {
        ${scoreText(problem)}
        const int64 place = queryHead * ${queries} + query;
        weight = fast_exp2(score - statistics[place * 2] - statistics[place * 2 + 1]);
        change = weight * (changes[i] - dots[place]);
        ${replacedText(problem, 'change')}
      }
      ownWeights[part + 8 * i] = weight;
      ownChanges[part + 8 * i] = change;
    }
    __syncwarp();
    add_rows<${width}>(valueSums, ownWeights, tileSecond, part);
    add_rows<${width}>(keySums, ownChanges, tileFirst, part);
  }
}
if (key >= ${keys}) return;
${T}* ownKeyOut = ${rowsText(problem, 'k', 'dk', keyHead)} + ${strided('key', strideOf('k'))};
${T}* ownValueOut = ${rowsText(problem, 'v', 'dv', keyHead)} + ${strided('key', strideOf('v'))};
for (int i = 0, column = part; column < ${width}; i++, column += 8) {
  ownKeyOut[column] = from_float<${T}>(keySums[i] * ${float(scale)});
  ownValueOut[column] = from_float<${T}>(valueSums[i]);
}`;
  return launch({
    name: 'plain_attention_key_gradients',
    helpers: [tensorCoreFunctions, fetchRows],
    parameters: [...gradientParameters(problem), writes('out1', T, 'dk'), writes('out2', T, 'dv')],
    body,
    blocks: [Math.ceil(keys / plainRows), keyHeads, batch],
    threads: plainThreads,
    sharedBytes: sharedBytes(problem),
  });
}
