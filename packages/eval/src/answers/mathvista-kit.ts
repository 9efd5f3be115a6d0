import { parsePythonStrings } from '../text/python-literal.js';
import { integerText, parseFloatPython } from '../text/python-number.js';
import type { MathVistaQuestion } from './mathvista.js';
import { inferVlmEvalKitOption } from './vlmevalkit-option.js';

/** A question of MathVista as VLMEvalKit's table has it. */
export interface MathVistaKitRow {
  readonly questionType: MathVistaQuestion['questionType'];
  readonly answerType: MathVistaQuestion['answerType'];
  readonly answer: string;
  /** A list as Python prints it. */
  readonly choices: string;
  /** Letter of the right choice. */
  readonly answerOption: string | null;
}

/**
 * What VLMEvalKit takes from an answer without asking its judge (`utils/mathvista.py`): the letter that multiple choice
 * names, right or not; a number only if it is the expected one. A list never is: the published code compares the text
 * `None`.
 */
export function prefetchMathVista(answer: string, row: MathVistaKitRow): string | number | undefined {
  if (row.questionType === 'multi_choice') {
    const options = parsePythonStrings(row.choices).map((text, index) => [String.fromCharCode(65 + index), text]);
    return inferVlmEvalKitOption(answer, Object.fromEntries(options), '2025');
  }
  const read = { integer: (text: string) => numberOf(integerText(text)), float: parseFloatPython }[
    row.answerType as 'integer' | 'float'
  ];
  const value = read?.(answer);
  return value !== undefined && value === read?.(row.answer) ? value : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Whether VLMEvalKit counts an answer, or what its judge took from it, as right. */
export function isMathVistaKitCorrect(answer: string, row: MathVistaKitRow): boolean {
  const found = prefetchMathVista(answer, row);
  return row.questionType === 'multi_choice' ? found === row.answerOption : found !== undefined;
}
