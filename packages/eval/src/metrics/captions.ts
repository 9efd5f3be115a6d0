import { BenchmarkError, requireRows } from '../benchmark-error.js';
import { splitWords } from '../text/python-text.js';
import { countNGrams } from './n-grams.js';
import { meanOf } from './share.js';

/** A caption and what people wrote about the same image. All are tokenised: words in lower case between blanks. */
export interface CaptionRow {
  readonly caption: string;
  readonly references: readonly string[];
}

/** A figure of all captions, and of each, in the order of the rows. */
export interface CaptionScore {
  readonly score: number;
  readonly perImage: readonly number[];
}

/** Longest run of words that BLEU and CIDEr count. */
const longest = 4;

function requireReferences(rows: readonly CaptionRow[]): void {
  requireRows('captions', rows);
  const without = rows.findIndex(({ references }) => references.length === 0);
  if (without < 0) return;
  throw new BenchmarkError({
    operation: 'score captions',
    expected: 'references for each caption',
    received: `none for row ${without}`,
    value: rows[without],
  });
}

interface BleuCounts {
  readonly length: number;
  readonly referenceLength: number;
  readonly guessed: readonly number[];
  readonly correct: readonly number[];
}

function countBleu({ caption, references }: CaptionRow): BleuCounts {
  const words = splitWords(caption);
  const others = references.map(splitWords);
  const closest = others
    .map(({ length }) => length)
    .sort((a, b) => Math.abs(a - words.length) - Math.abs(b - words.length) || a - b);
  const correct = Array.from({ length: longest }, (_, n) => {
    const known = others.map((each) => countNGrams(each, n + 1));
    return [...countNGrams(words, n + 1)].reduce(
      (sum, [gram, count]) => sum + Math.min(count, Math.max(...known.map((each) => each.get(gram) ?? 0))),
      0,
    );
  });
  return {
    length: words.length,
    referenceLength: closest[0]!,
    guessed: correct.map((_, n) => Math.max(0, words.length - n)),
    correct,
  };
}

/** BLEU-1 … BLEU-4 of some counts. The small numbers are the published code's. */
function bleuOf({ length, referenceLength, guessed, correct }: BleuCounts): number[] {
  const ratio = (length + 1e-15) / (referenceLength + 1e-9);
  const penalty = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;
  let product = 1;
  return correct.map((count, n) => {
    product *= (count + 1e-15) / (guessed[n]! + 1e-9);
    return product ** (1 / (n + 1)) * penalty;
  });
}

/**
 * BLEU-1 … BLEU-4 (Papineni et al. 2002) as pycocoevalcap computes it: counts are pooled over the images.
 *
 * @returns four figures
 * @throws BenchmarkError if there are no rows, or one has no reference
 */
export function bleu(rows: readonly CaptionRow[]): CaptionScore[] {
  requireReferences(rows);
  const counts = rows.map(countBleu);
  const sum = (of: (each: BleuCounts) => number) => counts.reduce((all, each) => all + of(each), 0);
  const pooled = bleuOf({
    length: sum(({ length }) => length),
    referenceLength: sum(({ referenceLength }) => referenceLength),
    guessed: Array.from({ length: longest }, (_, n) => sum(({ guessed }) => guessed[n]!)),
    correct: Array.from({ length: longest }, (_, n) => sum(({ correct }) => correct[n]!)),
  });
  const single = counts.map(bleuOf);
  return pooled.map((score, n) => ({ score, perImage: single.map((each) => each[n]!) }));
}

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let previous = new Uint32Array(b.length + 1);
  for (const word of a) {
    const current = new Uint32Array(b.length + 1);
    for (let index = 0; index < b.length; index++) {
      current[index + 1] = word === b[index] ? previous[index]! + 1 : Math.max(previous[index + 1]!, current[index]!);
    }
    previous = current;
  }
  return previous[b.length]!;
}

/**
 * ROUGE-L (Lin 2004) as pycocoevalcap computes it: the best precision and the best recall over the references, which may
 * be of different ones; β = 1.2. Texts are cut at single blanks, so that an empty caption is one empty word.
 *
 * @throws BenchmarkError if there are no rows, or one has no reference
 */
export function rougeL(rows: readonly CaptionRow[]): CaptionScore {
  requireReferences(rows);
  const perImage = rows.map(({ caption, references }) => {
    const words = caption.split(' ');
    const shared = references.map((reference) => {
      const others = reference.split(' ');
      const common = commonLength(words, others);
      return { precision: common / words.length, recall: common / others.length };
    });
    const precision = Math.max(...shared.map((each) => each.precision));
    const recall = Math.max(...shared.map((each) => each.recall));
    const beta = 1.2 ** 2;
    return precision === 0 || recall === 0 ? 0 : ((1 + beta) * precision * recall) / (recall + beta * precision);
  });
  return { score: meanOf(perImage), perImage };
}

/** A text as weights of its n-grams. */
interface CiderVector {
  readonly weights: readonly ReadonlyMap<string, number>[];
  readonly norms: readonly number[];
  /** Number of bigrams, which the published code takes for the length. */
  readonly length: number;
}

/**
 * CIDEr-D (Vedantam et al. 2015) as pycocoevalcap computes it, with document frequencies of these references: a single
 * image has 0, since its n-grams are in every document.
 *
 * @throws BenchmarkError if there are no rows, or one has no reference
 */
export function cider(rows: readonly CaptionRow[]): CaptionScore {
  requireReferences(rows);
  const gramsOf = (text: string) => {
    const words = splitWords(text);
    return Array.from({ length: longest }, (_, n) => countNGrams(words, n + 1));
  };
  const grams = rows.map(({ caption, references }) => ({
    caption: gramsOf(caption),
    references: references.map(gramsOf),
  }));
  const frequencies = new Map<string, number>();
  for (const { references } of grams) {
    const known = new Set(references.flatMap((each) => each.flatMap((counts) => [...counts.keys()])));
    for (const gram of known) frequencies.set(gram, (frequencies.get(gram) ?? 0) + 1);
  }
  const images = Math.log(rows.length);
  const vectorOf = (counts: readonly ReadonlyMap<string, number>[]): CiderVector => {
    const weights = counts.map(
      (each) =>
        new Map(
          [...each].map(([gram, count]) => [
            gram,
            count * (images - Math.log(Math.max(1, frequencies.get(gram) ?? 0))),
          ]),
        ),
    );
    const norms = weights.map((each) => Math.sqrt([...each.values()].reduce((sum, weight) => sum + weight ** 2, 0)));
    return { weights, norms, length: [...counts[1]!.values()].reduce((sum, count) => sum + count, 0) };
  };
  const perImage = grams.map(({ caption, references }) => {
    const ours = vectorOf(caption);
    return 10 * meanOf(references.map((each) => similarity(ours, vectorOf(each))));
  });
  return { score: meanOf(perImage), perImage };
}

function similarity(ours: CiderVector, theirs: CiderVector): number {
  const penalty = Math.exp(-((ours.length - theirs.length) ** 2) / (2 * 6 ** 2));
  const parts = ours.weights.map((weights, n) => {
    const norm = ours.norms[n]! * theirs.norms[n]!;
    const product = [...weights].reduce((sum, [gram, weight]) => {
      const other = theirs.weights[n]!.get(gram) ?? 0;
      return sum + Math.min(weight, other) * other;
    }, 0);
    return (norm === 0 ? product : product / norm) * penalty;
  });
  return meanOf(parts);
}
