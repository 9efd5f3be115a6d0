import type { Draws } from './draws.js';

const STYLES = ['upper', 'lower', 'num'] as const;
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
 * The published code shuffles the stored list in place and keeps the old index of the answer, so that answers are wrong
 * from a sample's second visit on; here the list is left alone.
 *
 * @param answer index of the right option
 */
export function listOptions(
  options: readonly string[],
  answer: number,
  settings: OptionListSettings,
  draws: Draws,
): { readonly option: string; readonly answer: string } {
  const { shuffle = false, randomStyle = false, answerText = false, separator = '\n' } = settings;
  const order = shuffle ? draws.order(options.length) : options.map((_, index) => index);
  const listed = order.map((index) => options[index]!);
  const style = randomStyle ? STYLES[draws.choice(STYLES.length)]! : 'upper';
  const decoration = randomStyle ? DECORATIONS[draws.choice(DECORATIONS.length)]! : 'dot';
  // As in the published code, the first of two equal options is the answer, once they are shuffled.
  const place = shuffle ? listed.indexOf(options[answer]!) : answer;
  const mark = optionMark(place, style);
  return {
    option: listed.map((text, index) => `${optionMark(index, style, decoration)} ${text}`).join(separator),
    answer: answerText ? `${mark}. ${listed[place]}` : mark,
  };
}
