import { inferMmbenchOption, type OptionTexts } from '../answers/mmbench-option.js';
import { requireRows } from '../benchmark-error.js';
import { groupBy, type Share, shareOf } from '../metrics/share.js';
import { drawOption, type UnparsedOptions } from '../unparsed.js';

/** One pass over a question of MMBench: the same question comes again with its options rotated. */
export interface MmbenchPass {
  /** Passes over one question are equal modulo a million. */
  readonly index: number;
  /** Letter of the right option. */
  readonly label: string;
  readonly options: OptionTexts;
  readonly category: string;
  readonly l2Category: string;
  readonly answer: string;
}

/** Options of {@link scoreMmbench}. */
export interface ScoreMmbenchOptions {
  /** The letter that an answer names. Default: MMBench's rule. */
  readonly infer?: (pass: MmbenchPass) => string | undefined;
  /** The letter of a pass for which the rule found none, from a judge or by chance; none is wrong. Default: none. */
  readonly resolve?: (pass: MmbenchPass, passes: readonly MmbenchPass[]) => string | undefined;
}

/** Accuracy with circular evaluation. */
export interface MmbenchScore extends Share {
  /** By ability. */
  readonly categories: ReadonlyMap<string, Share>;
  readonly l2Categories: ReadonlyMap<string, Share>;
  /** By ability within each group of abilities. */
  readonly within: ReadonlyMap<string, ReadonlyMap<string, Share>>;
  /** Passes whose answer named no option, by the rule. */
  readonly unparsed: number;
}

/**
 * Scores answers to MMBench (Liu et al. 2023) with circular evaluation: a question is right if every pass over it is. A
 * pass that the rule reads wrong decides the question at once; only then are those looked at that it cannot read.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreMmbench(
  passes: readonly MmbenchPass[],
  { infer = ({ answer, options }) => inferMmbenchOption(answer, options), resolve }: ScoreMmbenchOptions = {},
): MmbenchScore {
  requireRows('MMBench', passes);
  let unparsed = 0;
  const questions = [...groupBy(passes, ({ index }) => index % 1_000_000).values()].map((group) => {
    const letters = group.map(infer);
    unparsed += letters.filter((letter) => letter === undefined).length;
    const isRead = letters.every((letter, place) => letter === undefined || letter === group[place]!.label);
    const correct =
      isRead && group.every((pass, place) => letters[place] !== undefined || resolve?.(pass, group) === pass.label);
    return { first: group[0]!, correct };
  });
  type Question = (typeof questions)[number];
  const shares = (rows: readonly Question[], keyOf: (pass: MmbenchPass) => string) =>
    new Map(
      [...groupBy(rows, ({ first }) => keyOf(first))].map(([key, group]) => [
        key,
        shareOf(group.map(({ correct }) => correct)),
      ]),
    );
  const category = (pass: MmbenchPass) => pass.category;
  return {
    ...shareOf(questions.map(({ correct }) => correct)),
    categories: shares(questions, category),
    l2Categories: shares(questions, (pass) => pass.l2Category),
    within: new Map(
      [...groupBy(questions, ({ first }) => first.l2Category)].map(([l2, rows]) => [l2, shares(rows, category)]),
    ),
    unparsed,
  };
}

const answerPrefix = 'The answer is ';

/** How Honeybee writes an option that a question does not have. */
const missing = 'N/A';

/**
 * Honeybee's reading of answers (`tasks/mmb/calc_score.py`), for {@link scoreMmbench}: where `The answer is ` is found,
 * fourteen characters are cut off the front, wherever it stands, and full stops go. Options that a question does not
 * have are empty, and an empty text is in every answer, so that an answer is never read by its text if one is missing,
 * but for gibberish with one missing. With draws, as published, an answer that cannot be read is the right letter of one
 * of the passes, drawn.
 */
export function honeybeeMmbench({ draws }: UnparsedOptions = {}): ScoreMmbenchOptions {
  return {
    infer: ({ answer, options }) => {
      const text = answer.includes(answerPrefix) ? answer.slice(answerPrefix.length).replaceAll('.', '') : answer;
      const known = Object.fromEntries(
        Object.entries(options).map(([letter, option]) => [letter, option === missing ? '' : option]),
      );
      return inferMmbenchOption(text, known);
    },
    resolve: (_, passes) =>
      drawOption(
        passes.map(({ label }) => label),
        { draws },
      ),
  };
}

/**
 * What a judge is asked about an answer that the rule cannot read, word by word as in MMBench's evaluator. It is told to
 * say E where no option is meant.
 */
export function mmbenchJudgePrompt({
  question,
  options,
  answer,
}: {
  readonly question: string;
  readonly options: OptionTexts;
  readonly answer: string;
}): string {
  const listed = Object.entries(options).map(([letter, text]) => `${letter}. ${text}\n`);
  const examples = ['a cute teddy bear', 'Spider'].map((given, index) =>
    [
      `Example ${index + 1}: `,
      'Question: What is the main object in image?',
      'Options: A. teddy bear B. rabbit C. cat D. dog',
      `Answer: ${given}`,
      `Your output: ${'AE'[index]}`,
    ].join('\n'),
  );
  return [
    'You are an AI assistant who will help me to match an answer with several options of a single-choice question. You are provided with a question, several options, and an answer, and you need to find which option is most similar to the answer. If the meaning of all options are significantly different from the answer, output E. Your should output a single uppercase character in A, B, C, D (if they are valid options), and E. ',
    ...examples,
    'Example 3: ',
    `Question: ${question}?`,
    `Options: There are several options: \n${listed.join('')}`,
    `Answer: ${answer}`,
    'Your output: ',
  ].join('\n');
}
