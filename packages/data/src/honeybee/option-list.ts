import type { Draws } from './draws.js';

const STYLES = ['upper', 'lower', 'num'] as const;
/** Shares are drawn in thousandths. */
const OUT_OF = 1000;
const DECORATIONS = ['paren', 'dot', 'rparen'] as const;

export type OptionStyle = (typeof STYLES)[number];
export type OptionDecoration = (typeof DECORATIONS)[number];

/** How the options of a question are listed. */
export interface OptionListSettings {
  /** Whether they are put in random order. Default false. */
  readonly shuffle?: boolean | undefined;
  /** Whether letters, small letters or numbers, and their decoration, are drawn. Default: `A.`. */
  readonly randomStyle?: boolean | undefined;
  /** Whether the answer says its text behind its letter. Default: the letter alone. */
  readonly answerText?: boolean | undefined;
  /**
   * Share of shuffled questions that are asked as the published code asks one that its worker has asked before: it shuffles
   * the stored list in place and keeps the place of the answer, which is then another option's. With 8 ranks of 8 workers
   * an estimated 0.02 to 0.06 of the samples that Honeybee was trained with had such a wrong answer; how many depends on
   * ranks and workers, so that the default is 0, right answers.
   */
  readonly staleShuffles?: number | undefined;
  /** Default: a newline. */
  readonly separator?: string | undefined;
}

/** `A`, `(A)`, `A.` or `A)`, likewise `a` and `1`. */
export function optionMark(index: number, style: OptionStyle = 'upper', decoration?: OptionDecoration): string {
  const mark = style === 'num' ? String(index + 1) : String.fromCharCode((style === 'upper' ? 65 : 97) + index);
  const decorated = { paren: `(${mark})`, dot: `${mark}.`, rparen: `${mark})` };
  return decoration === undefined ? mark : decorated[decoration];
}

/**
 * Lists the options of a question, a line each, and names the right one.
 *
 * The list itself is left alone; see `staleShuffles` for what the published code does to it.
 *
 * @param answer index of the right option
 */
export function listOptions(
  options: readonly string[],
  answer: number,
  settings: OptionListSettings,
  draws: Draws,
): { readonly option: string; readonly answer: string } {
  const { shuffle = false, randomStyle = false, answerText = false, staleShuffles = 0, separator = '\n' } = settings;
  const isStale = shuffle && staleShuffles > 0 && draws.choice(OUT_OF) < staleShuffles * OUT_OF;
  const stored = isStale ? draws.order(options.length).map((index) => options[index]!) : options;
  const order = shuffle ? draws.order(options.length) : options.map((_, index) => index);
  const listed = order.map((index) => stored[index]!);
  const style = randomStyle ? STYLES[draws.choice(STYLES.length)]! : 'upper';
  const decoration = randomStyle ? DECORATIONS[draws.choice(DECORATIONS.length)]! : 'dot';
  // As in the published code, the first of two equal options is the answer, once they are shuffled.
  const place = shuffle ? listed.indexOf(stored[answer]!) : answer;
  const mark = optionMark(place, style);
  return {
    option: listed.map((text, index) => `${optionMark(index, style, decoration)} ${text}`).join(separator),
    answer: answerText ? `${mark}. ${listed[place]}` : mark,
  };
}
