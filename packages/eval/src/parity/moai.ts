import { type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { mmeLabel, popeAnswer } from '../answers/yes-no.js';
import { scoreAi2d } from '../benchmarks/ai2d.js';
import { type MathVistaItem, mathVistaFile, mmVetFile } from '../benchmarks/answer-files.js';
import { scoreHallusion } from '../benchmarks/hallusion-bench.js';
import { scoreMme } from '../benchmarks/mme.js';
import { scorePopeCategories } from '../benchmarks/pope.js';
import { scoreQBench } from '../benchmarks/q-bench.js';
import { scoreScienceQa } from '../benchmarks/science-qa.js';
import { scoreSeed, seedQuestionTypes } from '../benchmarks/seed-bench.js';
import { scoreTextVqa, textVqaAnswerScores, textVqaQuestion } from '../benchmarks/text-vqa.js';
import { formatFixed, formatFloat } from '../text/python-number.js';
import { normalizeVqaAnswer } from '../text/vqa-answer.js';
import { compareValues } from './compare-values.js';

interface Parsed {
  readonly in: string;
  readonly out: string;
}

interface Ai2dConfig {
  readonly items: readonly { readonly answer: string; readonly metadata: { readonly correctAnswer: number } }[];
  readonly accuracy_percent: number;
  readonly script_printed: readonly string[];
}

async function checkAi2d({ config }: Fixture): Promise<ParityResult> {
  const { items, accuracy_percent, script_printed } = config as Ai2dConfig;
  const rows = items.map(({ answer, metadata }) => ({ answer, label: metadata.correctAnswer }));
  const printed = `AI2D Acc: ${formatFloat(scoreAi2d(rows, { rule: 'exact' }).accuracy * 100)} %`;
  return compareValues(
    { accuracy_percent: scoreAi2d(rows).accuracy * 100, script_printed: [printed] },
    { accuracy_percent, script_printed },
    'ai2d',
  );
}

interface HallusionConfig {
  readonly gt: readonly ('0' | '1')[];
  readonly answers: readonly ('0' | '1')[];
  readonly accuracy_percent: number;
}

async function checkHallusion({ config }: Fixture): Promise<ParityResult> {
  const { gt, answers, accuracy_percent: expected } = config as HallusionConfig;
  const { accuracy } = scoreHallusion(gt.map((label, index) => ({ label, verdict: answers[index]! })));
  return compareValues(accuracy * 100, expected, 'hallusionbench');
}

async function checkMathVista({ config }: Fixture): Promise<ParityResult> {
  const { items, answers, file } = config as {
    readonly items: readonly MathVistaItem[];
    readonly answers: readonly string[];
    readonly file: Readonly<Record<string, object>>;
  };
  const ours = mathVistaFile(items.map((item, index) => ({ item, answer: answers[index]! })));
  const columns = (rows: Readonly<Record<string, object>>) =>
    Object.entries(rows).map(([pid, row]) => `${pid}: ${Object.keys(row).sort().join(', ')}`);
  return worstOf([compareValues(ours, file, 'mathvista'), compareValues(columns(ours), columns(file), 'columns')]);
}

interface MmeConfig {
  readonly items: readonly {
    readonly category: string;
    readonly question_id: string;
    readonly answer: string;
    readonly gt: string;
  }[];
  readonly parse: readonly Parsed[];
  readonly per_task: Readonly<Record<string, number>>;
  readonly perception: number;
  readonly cognition: number;
  readonly returned: number;
}

async function checkMme({ config }: Fixture): Promise<ParityResult> {
  const { items, parse, per_task, perception, cognition, returned } = config as MmeConfig;
  const rows = items.map(({ category, question_id: image, answer, gt }) => ({
    category,
    image,
    answer,
    label: gt.toLowerCase() as 'yes' | 'no',
  }));
  const score = scoreMme(rows);
  const ours = {
    parse: parse.map((each) => ({ ...each, out: mmeLabel(each.in) })),
    per_task: Object.fromEntries(Object.entries(score.categories).map(([name, points]) => [name, points.score])),
    perception: score.perception.score,
    cognition: score.cognition.score,
    // The published function prints perception and returns cognition.
    returned: score.cognition.score,
  };
  return compareValues(ours, { parse, per_task, perception, cognition, returned }, 'mme');
}

async function checkMmVet({ config }: Fixture): Promise<ParityResult> {
  const { question_ids, answers, file } = config as {
    readonly question_ids: readonly number[];
    readonly answers: readonly string[];
    readonly file: Readonly<Record<string, string>>;
  };
  return compareValues(
    Object.entries(mmVetFile(question_ids.map((questionId, index) => ({ questionId, answer: answers[index]! })))),
    Object.entries(file),
    'mmvet',
  );
}

interface PopeConfig {
  readonly items: readonly { readonly question_id: number; readonly category: string; readonly answer: string }[];
  readonly labels: Readonly<Record<string, readonly ('yes' | 'no')[]>>;
  readonly parse: readonly Parsed[];
  readonly result: unknown;
}

async function checkPope({ config }: Fixture): Promise<ParityResult> {
  const { items, labels, parse, result } = config as PopeConfig;
  const rows = items.map(({ question_id: questionId, category, answer }) => ({ questionId, category, answer }));
  const scores = Object.entries(scorePopeCategories(rows, labels, { rule: 'moai' })).map(([name, score]) => {
    const { accuracy, precision, recall, f1, yesRatio: yes_ratio } = score;
    return [name, { accuracy, precision, recall, f1, yes_ratio }];
  });
  const parsed = parse.map((each) => ({ ...each, out: popeAnswer(each.in, 'moai') }));
  return worstOf([
    compareValues(Object.fromEntries(scores), result, 'pope'),
    compareValues(parsed, parse, 'pope parse'),
  ]);
}

interface QBenchConfig {
  readonly items: readonly {
    readonly candidates: readonly string[];
    readonly correct_ans: string;
    readonly response: string;
  }[];
  readonly correct: number;
  readonly total: number;
  readonly printed: readonly string[];
}

async function checkQBench({ config }: Fixture): Promise<ParityResult> {
  const { items, ...expected } = config as QBenchConfig;
  const { correct, total, accuracy } = scoreQBench(
    items.map(({ candidates, correct_ans: label, response }) => ({ options: candidates, label, answer: response })),
  );
  const ours = { correct, total, printed: [`Accuracy: ${formatFloat(accuracy * 100)}%`] };
  const { printed } = expected;
  return compareValues(ours, { correct: expected.correct, total: expected.total, printed }, 'qbench');
}

interface ScienceQaConfig {
  readonly problems: Readonly<Record<string, { readonly choices: readonly string[]; readonly answer: number }>>;
  readonly items: readonly { readonly question_id: string; readonly question: string; readonly answer: string }[];
  readonly index: Readonly<Record<string, number>>;
  readonly accuracy: number;
  readonly image_accuracy: number;
  readonly correct: number;
  readonly count: number;
  readonly printed: string;
}

async function checkScienceQa({ config }: Fixture): Promise<ParityResult> {
  const { problems, items, index, accuracy, image_accuracy, correct, count, printed } = config as ScienceQaConfig;
  const score = scoreScienceQa(
    items.map(({ question_id: id, question, answer }) => {
      const { choices, answer: label } = problems[id]!;
      return { choices, label, answer, hasImage: question.includes('<image>') };
    }),
  );
  const [all, image] = [score.accuracy * 100, score.image.accuracy * 100];
  const figures = `Accuracy: ${formatFixed(all, 2)}%, IMG-Accuracy: ${formatFixed(image, 2)}%`;
  const ours = {
    index: Object.fromEntries(items.map(({ question_id: id }, row) => [id, score.indices[row]])),
    accuracy: all,
    image_accuracy: image,
    correct: score.correct,
    count: score.total,
    printed: `Total: ${score.total}, Correct: ${score.correct}, ${figures}`,
  };
  return compareValues(ours, { index, accuracy, image_accuracy, correct, count, printed }, 'scienceqa');
}

interface SeedConfig {
  readonly items: readonly {
    readonly answer: string;
    readonly question_type_id: number;
    readonly prediction: string;
  }[];
  readonly strict_accuracy: number;
  readonly script_accuracy_percent: number;
  readonly script_categories: Readonly<Record<string, unknown>>;
}

async function checkSeed({ config }: Fixture): Promise<ParityResult> {
  const { items, strict_accuracy, script_accuracy_percent, script_categories } = config as SeedConfig;
  const rows = items.map(({ answer: label, question_type_id: questionTypeId, prediction: answer }) => ({
    label,
    questionTypeId,
    answer,
  }));
  const score = scoreSeed(rows);
  // MoAI's script has other names for two types.
  const names = { ...seedQuestionTypes, 5: 'Instance Counting', 9: 'Text Recognition' } as Readonly<
    Record<number, string>
  >;
  const ours = {
    strict_accuracy: scoreSeed(rows, { rule: 'exact' }).accuracy,
    script_accuracy_percent: score.accuracy * 100,
    script_categories: Object.fromEntries([...score.types].map(([id, share]) => [names[id], share])),
  };
  return compareValues(ours, { strict_accuracy, script_accuracy_percent, script_categories }, 'seed');
}

interface TextVqaConfig {
  readonly normalise: readonly Parsed[];
  readonly items: readonly {
    readonly question_text: string;
    readonly answers: readonly string[];
    readonly prediction: string;
  }[];
  readonly accuracy_percent: number;
}

async function checkTextVqa({ config }: Fixture): Promise<ParityResult> {
  const { normalise, items, accuracy_percent } = config as TextVqaConfig;
  const rows = items.map(({ answers: annotators, prediction: answer }) => ({ annotators, answer }));
  const { accuracy, scores } = scoreTextVqa(rows);
  const ours = {
    normalise: normalise.map((each) => ({ ...each, out: normalizeVqaAnswer(each.in) })),
    items: items.map((each, index) => ({
      ...each,
      question_key: textVqaQuestion(each.question_text),
      score: scores[index],
      answer_scores: Object.fromEntries(textVqaAnswerScores(each.answers)),
    })),
    accuracy_percent: accuracy * 100,
  };
  return compareValues(ours, { normalise, items, accuracy_percent }, 'textvqa');
}

/** MoAI's evaluation. */
export const moaiChecks: ParityChecks = {
  'moai/eval_ai2d': checkAi2d,
  'moai/eval_hallusionbench': checkHallusion,
  'moai/eval_mathvista': checkMathVista,
  'moai/eval_mme': checkMme,
  'moai/eval_mmvet': checkMmVet,
  'moai/eval_pope': checkPope,
  'moai/eval_qbench': checkQBench,
  'moai/eval_scienceqa': checkScienceQa,
  'moai/eval_seed': checkSeed,
  'moai/eval_textvqa': checkTextVqa,
};
