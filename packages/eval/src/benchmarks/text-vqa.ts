import { BenchmarkError, requireRows } from '../benchmark-error.js';
import { meanOf } from '../metrics/share.js';
import { vqaAccuracy } from '../metrics/vqa-accuracy.js';
import { normalizeVqaAnswer, type VqaNormalizer } from '../text/vqa-answer.js';

/** A question of TextVQA and what a model answered. */
export interface TextVqaRow {
  /** What ten annotators answered. */
  readonly annotators: readonly string[];
  readonly answer: string;
}

/** Annotators of a question. */
const annotatorCount = 10;

/**
 * What each answer that an annotator gave would score, normalised: an answer of a model that nobody gave scores 0.
 *
 * @throws BenchmarkError unless there are ten annotators
 */
export function textVqaAnswerScores(
  annotators: readonly string[],
  normalizer: VqaNormalizer = 'evalai',
): Map<string, number> {
  if (annotators.length !== annotatorCount) {
    throw new BenchmarkError({
      operation: 'score TextVQA',
      expected: `the answers of ${annotatorCount} annotators`,
      received: String(annotators.length),
      remedy: 'The answers of the test split are not published.',
      value: annotators,
    });
  }
  const normalized = annotators.map((each) => normalizeVqaAnswer(each, normalizer));
  return new Map(normalized.map((each) => [each, vqaAccuracy(each, normalized)]));
}

/** Score of each answer, 0 … 1, in the order of the rows, and their mean. */
export interface TextVqaScore {
  readonly accuracy: number;
  readonly scores: readonly number[];
}

/**
 * Scores answers to TextVQA (Singh et al. 2019).
 *
 * @throws BenchmarkError if there are no rows, or a question has not ten annotators
 */
export function scoreTextVqa(
  rows: readonly TextVqaRow[],
  { normalizer = 'evalai' }: { readonly normalizer?: VqaNormalizer } = {},
): TextVqaScore {
  requireRows('TextVQA', rows);
  const scores = rows.map(
    ({ annotators, answer }) =>
      textVqaAnswerScores(annotators, normalizer).get(normalizeVqaAnswer(answer, normalizer)) ?? 0,
  );
  return { accuracy: meanOf(scores), scores };
}

/**
 * The question within a prompt of LLaVA's TextVQA file, in lower case: with its image it finds the annotators' answers.
 *
 * @throws BenchmarkError if the prompt has none of the three known forms
 */
export function textVqaQuestion(prompt: string): string {
  const lines = prompt.split('\n');
  const reference = 'Reference OCR token:';
  if (prompt.startsWith('OCR tokens: ')) {
    const found = /Question: (.*?) Short answer:/s.exec(prompt);
    if (found) return found[1]!.toLowerCase();
  } else if (lines.length === 3 && prompt.includes(`${reference} `)) {
    return (prompt.startsWith(reference) ? lines[1]! : lines[0]!).toLowerCase();
  } else if (lines.length === 2) return lines[0]!.toLowerCase();
  throw new BenchmarkError({
    operation: 'read question of TextVQA',
    expected: 'a question and an instruction on two lines, or three with OCR tokens',
    received: JSON.stringify(prompt),
    value: prompt,
  });
}

/** Whether an annotator gave an answer, both normalised: ST-VQA's accuracy in the same scorer. */
export function isStVqaCorrect(answer: string, annotators: readonly string[]): boolean {
  const normalized = normalizeVqaAnswer(answer);
  return annotators.some((each) => normalizeVqaAnswer(each) === normalized);
}
