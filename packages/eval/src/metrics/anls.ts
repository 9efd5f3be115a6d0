import { editDistance } from '../text/edit-distance.js';
import { lengthOf, splitWords } from '../text/python-text.js';

/** Options of {@link anls}. */
export interface AnlsOptions {
  /** Similarities below are 0. Default: 0.5. */
  readonly threshold?: number;
  /**
   * Which texts' length a distance is divided by. `original`: as they came, although the distance is that of the texts in
   * lower case with single blanks, as the published code has it. `collapsed`: those that are compared. Default:
   * `original`.
   */
  readonly length?: 'original' | 'collapsed';
}

/** Lower case, single blanks. */
const collapse = (text: string) => splitWords(text.toLowerCase()).join(' ');

/**
 * Distance of two answers as a share of the longer one's length, 0 … 1 (over 1 only by the difference that `original`
 * makes); 0 if both are empty.
 */
export function normalizedDistance(
  answer: string,
  expected: string,
  { length = 'original' }: AnlsOptions = {},
): number {
  const [ours, theirs] = [collapse(answer), collapse(expected)];
  const [a, b] = length === 'original' ? [answer, expected] : [ours, theirs];
  const longer = Math.max(lengthOf(a), lengthOf(b));
  return longer === 0 ? 0 : editDistance(ours, theirs) / longer;
}

/**
 * Average normalised Levenshtein similarity of one answer: 1 − the smallest distance to an expected answer, 0 below the
 * threshold. (Biten et al. 2019, "Scene Text Visual Question Answering"; DocVQA, InfographicVQA)
 */
export function anls(answer: string, expected: readonly string[], options: AnlsOptions = {}): number {
  const { threshold = 0.5 } = options;
  const similarity = 1 - Math.min(1, ...expected.map((each) => normalizedDistance(answer, each, options)));
  return similarity < threshold ? 0 : similarity;
}
