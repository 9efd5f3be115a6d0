import type { DType } from '../../../../dtype.js';
import { cTypes } from '../c-types.js';
import { float, integer, type Parameter, reads } from '../launch-text.js';
import { strided } from '../product.js';

/** Something broadcast to the scores [batch, heads, queries, keys]: by strides in elements, 0 along axes that stretch. */
export interface ScoreTerm {
  readonly dtype: DType;
  readonly strides: readonly [batch: number, head: number, query: number, key: number];
}

/** Where rows [width] of a tensor lie, in elements; each row is contiguous. */
export interface RowLayout {
  /** First element. */
  readonly offset: number;
  readonly batch: number;
  readonly head: number;
  /** From one query, or key, to the next. */
  readonly row: number;
}

/** Scaled dot-product attention of q [batch, heads, queries, width] with k, v [batch, keyHeads, keys, width]. */
export interface AttentionProblem {
  readonly batch: number;
  readonly heads: number;
  /** Head i of the queries uses key head ⌊i · keyHeads / heads⌋. */
  readonly keyHeads: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
  /** Of q, k, v, the output and their gradients. */
  readonly dtype: 'float32' | 'float16' | 'bfloat16';
  readonly scale: number;
  /** Query i sees keys up to i + keys − queries. */
  readonly causal: boolean;
  /** Added to the scores. */
  readonly bias?: ScoreTerm | undefined;
  /** Added to the scores (floats), or where keys are seen (bool). */
  readonly mask?: ScoreTerm | undefined;
  /**
   * Where rows lie that are not dense and row-major in the order of axes above: those of [batch, queries, heads, width], which
   * a product leaves, need no copy. Gradients lie like their tensors, the cotangent like `out`.
   */
  readonly layouts?: { readonly [Name in 'q' | 'k' | 'v' | 'out']?: RowLayout };
}

/** Where the rows of a tensor lie. */
export function layoutOf(
  { heads, keyHeads, queries, keys, width, layouts }: AttentionProblem,
  name: 'q' | 'k' | 'v' | 'out',
): RowLayout {
  const [count, rows] = name === 'q' || name === 'out' ? [heads, queries] : [keyHeads, keys];
  return layouts?.[name] ?? { offset: 0, batch: count * rows * width, head: rows * width, row: width };
}

/** The first row of a tensor's head: `pointer` moved to `batch` and a head. */
export function rowsText(
  problem: AttentionProblem,
  name: 'q' | 'k' | 'v' | 'out',
  pointer: string,
  head: string,
): string {
  const layout = layoutOf(problem, name);
  return `${pointer} + ${integer(layout.offset)} + ${strided('batch', layout.batch)} + ${strided(head, layout.head)}`;
}

/** 1 / ln 2: scores are kept as powers of two. */
const binary = Math.LOG2E;

/** What hides a key, as in ops/attention.ts: rows that see no key weigh all that have this score alike. */
const hidden = -1e9;

/** Scores, as powers of two, below which a row has not seen a key. */
export const unseenScore = float(-5e8 * binary);

/** Whether a row may see no key at all; then no keys may be left out for it, whatever the causal mask says. */
export function mayBeUnseen({ causal, queries, keys, mask, bias }: AttentionProblem): boolean {
  return causal && (queries > keys || mask !== undefined || bias !== undefined);
}

/** The parameters of bias and mask, from input `first` on: the mask, then the bias. */
export function termParameters({ mask, bias }: AttentionProblem, first: number): Parameter[] {
  return [
    ...(mask ? [reads(first, cTypes[mask.dtype], 'mask')] : []),
    ...(bias ? [reads(first + (mask ? 1 : 0), cTypes[bias.dtype], 'bias')] : []),
  ];
}

/** Statements that move bias and mask to `batch` and `head`. */
export function termPointers({ mask, bias }: AttentionProblem): string {
  return Object.entries({ mask, bias })
    .map(([name, term]) =>
      term
        ? `const ${cTypes[term.dtype]}* own_${name} = ${name} + ${strided('batch', term.strides[0])} + ${strided('head', term.strides[1])};`
        : '',
    )
    .concat('(void)head;')
    .join('\n');
}

/** Whether every score needs {@link scoreText}, not just those at the edges. */
export function hasTerms({ mask, bias }: AttentionProblem): boolean {
  return mask !== undefined || bias !== undefined;
}

/**
 * Statements that make `score`, the product of `query` and `key` (both in range), into a power of two. `beyond`: what a query
 * may exceed its place by, where that is not known in advance.
 */
export function scoreText(
  { queries, keys, scale, causal, mask, bias }: AttentionProblem,
  beyond: string = String(keys - queries),
): string {
  const at = (name: string, { strides }: ScoreTerm) =>
    `own_${name}[${strided('query', strides[2])} + ${strided('key', strides[3])}]`;
  return [
    `score *= ${float(scale)};`,
    bias ? `score += to_float(${at('bias', bias)});` : '',
    causal ? `if (key > query + ${beyond}) score += ${float(hidden)};` : '',
    mask
      ? mask.dtype === 'bool'
        ? `const bool seen = ${at('mask', mask)} != 0; if (!seen) score = ${float(hidden)};`
        : `score += to_float(${at('mask', mask)});`
      : '',
    `score *= ${float(binary)};`,
  ].join(' ');
}

/** A statement, after {@link scoreText}, that keeps gradients from scores that a mask of bools replaced. */
export function replacedText({ mask }: AttentionProblem, change: string): string {
  return mask?.dtype === 'bool' ? `if (!seen) ${change} = 0.0f;` : '';
}

/** The factor of a score that nothing is added to. */
export function plainScale({ scale }: AttentionProblem): string {
  return float(scale * binary);
}
