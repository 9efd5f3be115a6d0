import { contractions } from './contractions.js';
import { splitWords, strip } from './python-text.js';

/** Marks that are deleted or become blanks, in this order. */
export const vqaPunctuation = [...';/[]"{}()=+\\_-><@`,?!'];

/** Words of numbers, and their digits. */
export const vqaNumbers: ReadonlyMap<string, string> = new Map([
  ['none', '0'],
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'].map(
    (word, digit): [string, string] => [word, String(digit)],
  ),
]);

/** Words that are dropped. */
export const vqaArticles: readonly string[] = ['a', 'an', 'the'];

/**
 * How answers are normalised before they are compared.
 * - `evalai`: the EvalAI server's processor, as lmms-eval, LLaVA, MoAI and Eagle have it: also takes off `,`, `?` and the
 *   `'s` of a word.
 * - `vlmevalkit`: without that step, and a full stop behind a digit stays.
 * - `managertower`: without that step, and the last commas go.
 *
 * In `evalai` and `managertower` full stops in front of a digit stay whatever precedes them: the look-behind that was
 * meant is misspelt in the published code; and all three take off 32 full stops at most, a flag being passed as a count.
 */
export type VqaNormalizer = 'evalai' | 'vlmevalkit' | 'managertower';

/** First stage of `evalai`: lower case, no `,` or `?`, and `'s` as a word of its own. */
export function tokenizeVqaAnswer(text: string): string {
  return strip(text.toLowerCase().replaceAll(',', '').replaceAll('?', '').replaceAll("'s", " 's"));
}

/** Punctuation: a mark that has a blank beside it, or any where a comma stands between digits, goes; others are blanks. */
export function stripVqaPunctuation(text: string, rule: VqaNormalizer = 'evalai'): string {
  const hasNumberComma = (rule === 'evalai' ? /(?<=\p{Nd}),+(?=\p{Nd})/u : /\p{Nd},\p{Nd}/u).test(text);
  let result = text;
  for (const mark of vqaPunctuation) {
    const isLoose = hasNumberComma || text.includes(`${mark} `) || text.includes(` ${mark}`);
    result = result.replaceAll(mark, isLoose ? '' : ' ');
  }
  let left = 32;
  const fullStop = rule === 'vlmevalkit' ? /(?<!\p{Nd})\.(?!\p{Nd})/gu : /\.(?!\p{Nd})/gu;
  return result.replace(fullStop, (stop) => (left-- > 0 ? '' : stop));
}

/** Words: numbers as digits, no articles, contractions with their apostrophes. */
export function normalizeVqaWords(text: string): string {
  return splitWords(text.toLowerCase())
    .map((word) => vqaNumbers.get(word) ?? word)
    .filter((word) => !vqaArticles.includes(word))
    .map((word) => contractions.get(word) ?? word)
    .join(' ');
}

/** An answer to a question of VQAv2, TextVQA, VizWiz or OK-VQA as it is compared; see {@link VqaNormalizer}. */
export function normalizeVqaAnswer(text: string, rule: VqaNormalizer = 'evalai'): string {
  if (rule === 'managertower') return normalizeVqaWords(stripVqaPunctuation(text, rule)).replaceAll(',', '');
  const whole = rule === 'evalai' ? tokenizeVqaAnswer(text) : text;
  const oneLine = strip(whole.replaceAll('\n', ' ').replaceAll('\t', ' '));
  return normalizeVqaWords(stripVqaPunctuation(oneLine, rule));
}
