import { strip } from '../text/python-text.js';
import { normalizeVqaAnswer } from '../text/vqa-answer.js';

/** An answer to a question of a test split. */
export interface TestAnswer {
  readonly id: string | number;
  readonly answer: string;
}

/** The file of VQAv2 and of TextVQA for EvalAI: answers are normalised. */
export function vqaSubmission(answers: readonly TestAnswer[]): { question_id: string | number; answer: string }[] {
  return answers.map(({ id, answer }) => ({ question_id: id, answer: normalizeVqaAnswer(answer) }));
}

/** The file of VizWiz: answers are normalised, and questions named by their images. */
export function vizWizSubmission(answers: readonly TestAnswer[]): { image: string; answer: string }[] {
  return answers.map(({ id, answer }) => ({ image: `${id}.jpg`, answer: normalizeVqaAnswer(answer) }));
}

/** The file of DocVQA and InfographicVQA: answers as the model wrote them. */
export function docVqaSubmission(answers: readonly TestAnswer[]): { questionId: number; answer: string }[] {
  return answers.map(({ id, answer }) => ({ questionId: Number(id), answer: strip(answer) }));
}

/** The file of MMMU: answers by their questions. */
export function mmmuSubmission(answers: readonly TestAnswer[]): Record<string, string> {
  return Object.fromEntries(answers.map(({ id, answer }) => [String(id), strip(answer)]));
}

/** The file of captions of COCO and Flickr30K. */
export function captionSubmission(answers: readonly TestAnswer[]): { image_id: number; caption: string }[] {
  return answers.map(({ id, answer }) => ({ image_id: Number(id), caption: strip(answer) }));
}

/** Columns of the sheet of MMBench's server, in their order. */
export const mmbenchColumns = [
  'index',
  'question',
  'answer',
  'prediction',
  'hint',
  'source',
  'split',
  'category',
  'L2-category',
  'A',
  'B',
  'C',
  'D',
  'E',
] as const;

/** A row of MMBench's sheet; what a question does not have is the text `nan`. */
export function mmbenchRow(
  item: Readonly<Record<string, string | number>>,
  answer: string,
): Record<(typeof mmbenchColumns)[number], string | number> {
  const row = { ...item, prediction: strip(answer) } as Readonly<Record<string, string | number>>;
  return Object.fromEntries(mmbenchColumns.map((column) => [column, row[column] ?? 'nan'])) as ReturnType<
    typeof mmbenchRow
  >;
}
