import type { DType } from '../../../../dtype.js';
import { cTypes } from '../c-types.js';
import { eachOf, launch, type Parameter, reads, spread, writes } from '../launch-text.js';
import type { PlannedLaunch, Stored } from '../lowered.js';
import { strided } from '../product.js';
import { type AttentionProblem, layoutOf, rowsText } from './problem.js';

/** How many of the keys of a cache there are: read when the kernel runs. */
export interface VisibleKeys {
  /** Of the scalar input. */
  readonly dtype: Extract<DType, 'int32' | 'int64'>;
  /** Added to it. */
  readonly offset: number;
}

/** Attention of few queries: the keys are shared out among blocks. */
export interface Split {
  readonly parts: number;
  readonly visible?: VisibleKeys | undefined;
}

/** Place among the inputs of the number of visible keys: after q, k, v, mask and bias. */
export function visibleRole({ mask, bias }: AttentionProblem): number {
  return 3 + Number(mask !== undefined) + Number(bias !== undefined);
}

/** The parameters of a launch that leaves the sums of parts of the keys. */
export function splitParameters(problem: AttentionProblem, { visible }: Split): Parameter[] {
  return [
    ...(visible ? [reads(visibleRole(problem), cTypes[visible.dtype], 'visibleKeys')] : []),
    writes('temporary0', 'float', 'partial'),
    writes('temporary1', 'float', 'parts'),
  ];
}

/** What {@link splitParameters} needs: sums [parts, rows, width]; largest score (a power of two) and sum of weights [parts, rows, 2]. */
export function splitTemporaries({ batch, heads, queries, width }: AttentionProblem, { parts }: Split): Stored[] {
  const rows = batch * heads * queries;
  return [
    { shape: [parts, rows, width], dtype: 'float32' },
    { shape: [parts, rows, 2], dtype: 'float32' },
  ];
}

/** Statements that set `count`, the number of keys, and `beyond`, what a query sees beyond its own place. */
export function visibleText({ queries, keys }: AttentionProblem, split?: Split): string {
  const count = split?.visible
    ? `(int)max((int64)0, min((int64)${keys}, (int64)visibleKeys[0] + ${split.visible.offset}))`
    : String(keys);
  return `const int count = ${count}, beyond = count - ${queries};\n(void)beyond;`;
}

/** Puts the sums of the parts together, in their order. A thread per element. */
export function joinParts(problem: AttentionProblem, { parts }: Split): PlannedLaunch {
  const { batch: batches, heads, queries, width, dtype } = problem;
  const rows = batches * heads * queries;
  const body = `
${eachOf(rows * width, 128)}
const int row = (int)(i / ${width});
float most = __uint_as_float(0xff800000u);
for (int each = 0; each < ${parts}; each++) most = fmaxf(most, parts[((int64)each * ${rows} + row) * 2]);
const float base = most == __uint_as_float(0xff800000u) ? 0.0f : most;
float sum = 0.0f, total = 0.0f;
for (int each = 0; each < ${parts}; each++) {
  const int64 place = (int64)each * ${rows} + row;
  const float weight = exp2f(parts[place * 2] - base);
  total += weight * parts[place * 2 + 1];
  sum += weight * partial[place * ${width} + i % ${width}];
}
const int batch = row / ${heads * queries}, head = row / ${queries} % ${heads};
(${rowsText(problem, 'out', 'out', 'head')} + ${strided(`row % ${queries}`, layoutOf(problem, 'out').row)})[i % ${width}] = from_float<${cTypes[dtype]}>(sum / total);
if (i % ${width} == 0) { statistics[row * 2] = most; statistics[row * 2 + 1] = log2f(total); }`;
  return launch({
    name: 'attention_join',
    parameters: [
      reads('temporary0', 'float', 'partial'),
      reads('temporary1', 'float', 'parts'),
      writes('out', cTypes[dtype], 'out'),
      writes('out1', 'float', 'statistics'),
    ],
    body,
    ...spread(rows * width, 128),
  });
}
