import { editDistance } from '../text/edit-distance.js';
import { formatFloat, integerText, parseFloatPython, roundPython } from '../text/python-number.js';
import { strip } from '../text/python-text.js';

/** What is known about the answer to a question of MathVista. */
export interface MathVistaQuestion {
  readonly questionType: 'multi_choice' | 'free_form';
  readonly answerType: 'text' | 'integer' | 'float' | 'list';
  /** Of multiple choice. */
  readonly choices?: readonly string[] | null | undefined;
  /** Decimals of a float. */
  readonly precision?: number | null | undefined;
}

/** What an answer says, where no judge is needed: it is a choice, or a number of the right kind; nothing says nothing. */
export function extractMathVista(
  answer: string,
  { questionType, answerType, choices }: MathVistaQuestion,
  { quick = false }: { readonly quick?: boolean } = {},
): string | undefined {
  if (answer === '') return '';
  if (questionType === 'multi_choice' && choices?.includes(answer)) return answer;
  if (answerType === 'integer') {
    const integer = integerText(answer);
    if (integer !== undefined) return integer;
  }
  if (answerType === 'float') {
    const value = parseFloatPython(answer);
    if (value !== undefined) return formatFloat(value);
  }
  return quick ? /The answer is "([^\n]*)"\./.exec(answer)?.[1] : undefined;
}

/**
 * An extracted answer as it is compared: of a choice its text (the nearest one by edit distance, if none is named, so that
 * some choice always is), numbers to the question's precision. Undefined for what is no number.
 *
 * Source: `calculate_score.py` of lupantech/MathVista; `tasks/mathvista` of lmms-eval. There the precision is a float, as
 * the data set on the hub has it, with which rounding fails, so that every float question is wrong: `precision: 'float'`.
 */
export function normalizeMathVista(
  extraction: string,
  { questionType, answerType, choices, precision }: MathVistaQuestion,
  options: { readonly precision?: 'integer' | 'float' } = {},
): string | undefined {
  if (questionType === 'multi_choice' && choices && choices.length > 0) return nearestChoice(extraction, choices);
  const value = parseFloatPython(extraction);
  if (answerType === 'integer') {
    return value === undefined || !Number.isFinite(value) ? undefined : BigInt(Math.trunc(value)).toString();
  }
  if (answerType === 'float') {
    if (options.precision === 'float') return undefined;
    return value === undefined ? undefined : formatFloat(roundPython(value, precision ?? 0));
  }
  return answerType === 'list' ? extraction : undefined;
}

function nearestChoice(extraction: string, choices: readonly string[]): string {
  const text = strip(extraction);
  const named = /\(([a-zA-Z])\)/.exec(text)?.[1]?.toUpperCase() ?? text;
  const index = named.length === 1 ? named.charCodeAt(0) - 'A'.charCodeAt(0) : -1;
  const choice = choices[index];
  if (choice !== undefined) return choice;
  const distances = choices.map((each) => editDistance(named, each));
  return choices[distances.indexOf(Math.min(...distances))]!;
}

/** Whether a normalised answer is the expected one. */
export function isMathVistaCorrect(normalized: string | undefined, expected: string): boolean {
  return normalized !== undefined && strip(normalized) === strip(expected);
}
