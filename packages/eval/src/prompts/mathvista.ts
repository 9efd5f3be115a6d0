import type { MathVistaQuestion } from '../answers/mathvista.js';
import { BenchmarkError } from '../benchmark-error.js';

/** A question of MathVista with all that a prompt may hold. */
export interface MathVistaPromptItem extends MathVistaQuestion {
  readonly question: string;
  readonly unit?: string | null | undefined;
  /** A description of the image. */
  readonly caption?: string | undefined;
  /** Texts in the image. */
  readonly ocr?: string | undefined;
}

/**
 * Forms of the prompt (`create_one_query` of lmms-eval). Papers pick one: `format-prompt` is LLaVA's and Eagle's,
 * `step-by-step` MathVista's own.
 */
export const mathVistaForms = ['format-prompt', 'step-by-step', 'solution', 'reason-first', 'direct', 'code'] as const;
/** One of {@link mathVistaForms}. */
export type MathVistaForm = (typeof mathVistaForms)[number];

/** What kind of answer a question asks for. */
function kindOf({ questionType, answerType, precision }: MathVistaQuestion) {
  if (questionType === 'multi_choice') return 'choice';
  if (answerType === 'float') return precision === 2 ? 'float2' : 'float1';
  return answerType === 'list' ? 'list' : 'integer';
}

type Kind = ReturnType<typeof kindOf>;

/** A question that requires something. */
const required: Readonly<Record<Exclude<Kind, 'choice'>, string>> = {
  integer: 'an integer answer and provide the final value, e.g., 1, 2, 3, at the end',
  float1: 'a floating-point number with one decimal place and provide the final value, e.g., 1.2, 1.3, 1.4, at the end',
  float2:
    'a floating-point number with two decimal places and provide the final value, e.g., 1.23, 1.34, 1.45, at the end',
  list: 'a Python list as an answer and provide the final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end',
};

const short: Readonly<Record<Kind, string>> = {
  choice: "Answer with the option's letter from the given choices directly.",
  integer: 'Answer the question using a single integer number.',
  float1: 'Answer the question using a single floating-point number with one decimal place.',
  float2: 'Answer the question using a single floating-point number with two decimal places.',
  list: 'Answer the question using a Python list.',
};

function hintOf(kind: Kind): string {
  return kind === 'choice'
    ? 'Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.'
    : `Please answer the question requiring ${required[kind]}.`;
}

function reasonFirst(kind: Kind): string {
  const task =
    kind === 'choice' ? 'select the question from the choices' : `answer the question requiring ${required[kind]}`;
  return `First perform reasoning, then finally ${task} in the following format: Answer: xxx.`;
}

const endings: Readonly<Record<MathVistaForm, (kind: Kind) => string[]>> = {
  'format-prompt': (kind) => [short[kind]],
  'step-by-step': (kind) => [`Hint: ${hintOf(kind)}`],
  solution: (kind) => [`Hint: ${hintOf(kind)}`, 'Solution:'],
  'reason-first': () => [],
  direct: () => [],
  code: () => ['Hint: Please generate a python code to solve the problem', 'Python code:'],
};

/**
 * The prompt of a question of MathVista, byte for byte as in lmms-eval.
 *
 * @throws BenchmarkError if there is no such form
 */
export function mathVistaPrompt(item: MathVistaPromptItem, form: MathVistaForm = 'format-prompt'): string {
  if (!mathVistaForms.includes(form)) {
    throw new BenchmarkError({
      operation: 'mathVistaPrompt',
      expected: `one of ${mathVistaForms.join(', ')}`,
      received: JSON.stringify(form),
      value: form,
    });
  }
  const kind = kindOf(item);
  const isPlain = form === 'format-prompt';
  const unit = item.unit ? ` (Unit: ${item.unit})` : '';
  const choices = (item.choices ?? []).map((text, index) => {
    const letter = String.fromCharCode(65 + index);
    return isPlain ? `${letter}. ${text}` : `(${letter}) ${text}`;
  });
  return [
    ...(form === 'reason-first' ? [reasonFirst(kind)] : []),
    `${isPlain ? '' : 'Question: '}${item.question}${unit}`,
    ...(choices.length > 0 && !isPlain ? ['Choices:'] : []),
    ...choices,
    ...(item.caption ? [`Image description: ${item.caption}`] : []),
    ...(item.ocr ? [`Image detected text: ${item.ocr}`] : []),
    ...endings[form](kind),
  ].join('\n');
}

/** Examples of MathVista's judge: what was asked and answered, and what it takes from it. */
const examples: readonly (readonly [kind: Kind, question: string, response: string, extracted: string])[] = [
  ['integer', 'Which number is missing?', 'The number missing in the sequence is 14.', '14'],
  [
    'float1',
    'What is the fraction of females facing the camera?',
    'The fraction of females facing the camera is 0.6, which means that six out of ten females in the group are facing the camera.',
    '0.6',
  ],
  [
    'float2',
    'How much money does Luca need to buy a sour apple candy and a butterscotch candy? (Unit: $)',
    'Luca needs $1.45 to buy a sour apple candy and a butterscotch candy.',
    '1.45',
  ],
  [
    'list',
    'Between which two years does the line  graph saw its maximum peak?',
    'The line graph saw its maximum peak between 2007 and 2008.',
    '[2007, 2008]',
  ],
  [
    'choice',
    'What fraction of the shape is blue?\nChoices:\n(A) 3/11\n(B) 8/11\n(C) 6/11\n(D) 3/5',
    'The correct answer is (B) 8/11.',
    'B',
  ],
];

/** What a judge is asked that takes the answer from a response, word by word as published. */
export function mathVistaExtractionPrompt(prompt: string, response: string): string {
  const shown = examples.map(
    ([kind, question, given, extracted]) =>
      `Hint: ${hintOf(kind)}\nQuestion: ${question}\n\nModel response: ${given}\n\nExtracted answer: ${extracted}`,
  );
  const task =
    'Please read the following example. Then extract the answer from the model response and type it at the end of the prompt.';
  return [task, ...shown, prompt, response, 'Extracted answer: '].join('\n\n');
}
