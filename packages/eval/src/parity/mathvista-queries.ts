import { type ParityCheck, worstOf } from '@ocelli/core-tensor';
import type { MathVistaQuestion } from '../answers/mathvista.js';
import { BenchmarkError } from '../benchmark-error.js';
import { type MathVistaForm, mathVistaExtractionPrompt, mathVistaPrompt } from '../prompts/mathvista.js';
import { compareValues } from './compare-values.js';

interface QueryCase {
  readonly doc: {
    readonly question_type: MathVistaQuestion['questionType'];
    readonly answer_type: MathVistaQuestion['answerType'];
    readonly question: string;
    readonly unit: string | null;
    readonly choices: readonly string[] | null;
    readonly precision: number | null;
    readonly caption: string;
    readonly ocr: string;
  };
  readonly shot_type: MathVistaForm;
  readonly use_caption: boolean;
  readonly use_ocr: boolean;
  readonly expect: unknown;
}

function queryOf({ doc, shot_type: form, use_caption, use_ocr }: QueryCase): unknown {
  const { question_type: questionType, answer_type: answerType, caption, ocr, ...others } = doc;
  try {
    return mathVistaPrompt(
      { ...others, questionType, answerType, ...(use_caption && { caption }), ...(use_ocr && { ocr }) },
      form,
    );
  } catch (error) {
    if (error instanceof BenchmarkError) return { raises: 'AssertionError' };
    throw error;
  }
}

/** Prompts of every form, and the judge's. */
export const checkMathVistaQueries: ParityCheck = async ({ config }) => {
  const { cases, extraction_prompt: prompt } = config as {
    readonly cases: readonly QueryCase[];
    readonly extraction_prompt: string;
  };
  return worstOf([
    ...cases.map((each, index) => compareValues(queryOf(each), each.expect, `cases[${index}]`)),
    compareValues(mathVistaExtractionPrompt('QUERY', 'RESPONSE'), prompt, 'extraction_prompt'),
  ]);
};
