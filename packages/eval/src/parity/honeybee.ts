import { type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { inferMmbenchLetter, inferMmbenchOption, type OptionTexts } from '../answers/mmbench-option.js';
import { parseMmmuChoice } from '../answers/mmmu-choice.js';
import { isMmmuOpenCorrect, mmmuPartTexts, parseMmmuOpen } from '../answers/mmmu-open.js';
import { mmeLabel } from '../answers/yes-no.js';
import { parseReview, type ReviewScores, scoreLlavaBench } from '../benchmarks/llava-bench.js';
import { honeybeeMmbench, type MmbenchPass, scoreMmbench } from '../benchmarks/mmbench.js';
import { type MmePoints, mmeCategories, scoreMme } from '../benchmarks/mme.js';
import { scorePope } from '../benchmarks/pope.js';
import { scoreScienceQa } from '../benchmarks/science-qa.js';
import { scoreSeed } from '../benchmarks/seed-bench.js';
import type { Share } from '../metrics/share.js';
import { formatFixed } from '../text/python-number.js';
import { drawOption } from '../unparsed.js';
import { compareValues } from './compare-values.js';
import { checkPrompts } from './honeybee-prompts.js';
import { replayDraws, type StoredDraw } from './replay-draws.js';

interface ScoringConfig {
  readonly mme_parse: readonly { readonly pred: string; readonly strict: string; readonly relaxed: string }[];
  readonly mme_score: { readonly lines: Readonly<Record<string, readonly string[]>>; readonly result: unknown };
  readonly mmb_infer: readonly {
    readonly answer: string;
    readonly choices: OptionTexts;
    readonly option?: string | false;
    readonly result: string | false;
  }[];
  readonly mmb_score: {
    readonly samples: readonly (Omit<MmbenchPass, 'label' | 'options' | 'l2Category'> & {
      readonly answer: string;
      readonly pred: string;
      readonly options_dict: OptionTexts;
      readonly l2_category: string;
    })[];
    readonly draws: readonly StoredDraw[];
    readonly result: unknown;
  };
  readonly pope: {
    readonly texts: readonly string[];
    readonly labels: readonly ('yes' | 'no')[];
    readonly result: unknown;
  };
  readonly seed: {
    readonly items: readonly {
      readonly pred: string;
      readonly answer: string;
      readonly question_type: string;
      readonly question_type_id: number;
    }[];
    readonly result: unknown;
  };
  readonly sqa: {
    readonly problems: Readonly<Record<string, { readonly choices: readonly string[]; readonly answer: number }>>;
    readonly predictions: readonly {
      readonly question_id: string;
      readonly pred: string;
      readonly image_path: string | null;
    }[];
    readonly draws: readonly StoredDraw[];
    readonly result: unknown;
  };
  readonly mmmu_open: readonly {
    readonly response: string;
    readonly parsed: readonly string[];
    readonly gold: string | readonly string[];
    readonly correct: boolean;
  }[];
  readonly mmmu_choice_parser: readonly {
    readonly response: string;
    readonly result: string;
    readonly draws: readonly StoredDraw[];
  }[];
  readonly llava_parse: readonly { readonly review: string; readonly result: ReviewScores }[];
  readonly llava_summary: {
    readonly reviews: readonly { readonly category: string; readonly tuple: ReviewScores }[];
    readonly result: unknown;
  };
}

function checkMme({ mme_parse: parse, mme_score: { lines, result } }: ScoringConfig): ParityResult {
  const labels = parse.map(({ pred }) => ({ pred, strict: mmeLabel(pred), relaxed: mmeLabel(pred, 'relaxed') }));
  const rows = Object.entries(lines).flatMap(([category, texts]) =>
    texts.map((line) => {
      const [image, , label, answer] = line.split('\t') as [string, string, string, string];
      return { category, image, label: label.toLowerCase() as 'yes' | 'no', answer };
    }),
  );
  const { categories, perception, cognition, total } = scoreMme(rows);
  const figures = ({ score, accuracy, accuracyPlus }: MmePoints) => [score, accuracy, accuracyPlus];
  const part = (names: readonly string[], sum: MmePoints) => ({
    ...Object.fromEntries(names.map((name) => [name, figures(categories[name]!)])),
    Total: figures(sum),
  });
  const ours = {
    Perception: part(mmeCategories.perception, perception),
    Cognition: part(mmeCategories.cognition, cognition),
    Total: figures(total),
  };
  return worstOf([compareValues(labels, parse, 'mme_parse'), compareValues(ours, result, 'mme_score')]);
}

/** The letters that the fixture calls options when no option is found. */
const orFalse = (letter: string | undefined) => letter ?? false;

function checkMmbench({ mmb_infer: infer, mmb_score: { samples, draws, result } }: ScoringConfig): ParityResult {
  const inferred = infer.map(({ answer, choices, option }) => ({
    answer,
    choices,
    ...(option !== undefined && { option: orFalse(inferMmbenchLetter(answer)) }),
    result: orFalse(inferMmbenchOption(answer, choices)),
  }));
  const passes = samples.map(({ index, answer, pred, options_dict: options, category, l2_category: l2Category }) => ({
    index,
    label: answer,
    answer: pred,
    options,
    category,
    l2Category,
  }));
  const replay = replayDraws(draws);
  const score = scoreMmbench(passes, honeybeeMmbench({ draws: replay }));
  const percent = ({ accuracy }: Share) => formatFixed(accuracy * 100, 2);
  const parents = [...score.within].map(([l2, categories]) => {
    const { total, correct, accuracy } = score.l2Categories.get(l2)!;
    const children = [...categories].map(([name, share]) => [
      name,
      { num_sampes: share.total, num_correct: share.correct, acc: percent(share) },
    ]);
    return [
      l2,
      {
        ...Object.fromEntries(children),
        parent_task_acc: percent({ total, correct, accuracy }),
        parent_num_samples: total,
        parent_num_correct: correct,
      },
    ];
  });
  const ours = {
    ...Object.fromEntries(parents),
    total_samples: score.total,
    total_corrects: score.correct,
    total_acc: percent(score),
  };
  return worstOf([
    compareValues(inferred, infer, 'mmb_infer'),
    compareValues(ours, result, 'mmb_score'),
    compareValues(replay.left(), 0, 'mmb_score draws left'),
  ]);
}

function checkPope({ pope: { texts, labels, result } }: ScoringConfig): ParityResult {
  const rows = texts.map((answer, index) => ({ answer, label: labels[index]! }));
  const { accuracy, precision, recall, f1, yesRatio, counts } = scorePope(rows, { epsilon: 1e-12 });
  const [TP, FP] = [counts.truePositive, counts.falsePositive];
  const [TN, FN] = [counts.trueNegative, counts.falseNegative];
  const ours = { accuracy, precision, recall, f1, yes_ratio: yesRatio, TP, FP, TN, FN };
  return compareValues(ours, result, 'pope', 1e-14);
}

const percentOf = ({ total, correct, accuracy }: Share) => ({ total, correct, acc: accuracy * 100 });

function checkSeed({ seed: { items, result } }: ScoringConfig): ParityResult {
  const names = new Map(items.map(({ question_type_id: id, question_type: name }) => [id, name]));
  const score = scoreSeed(
    items.map(({ pred, answer, question_type_id: questionTypeId }) => ({
      questionTypeId,
      label: answer,
      answer: pred,
    })),
    { rule: 'whole' },
  );
  const types = [...score.types].map(([id, share]) => [names.get(id), percentOf(share)]);
  return compareValues({ ...Object.fromEntries(types), Total: percentOf(score) }, result, 'seed');
}

function checkScienceQa({ sqa: { problems, predictions, draws, result } }: ScoringConfig): ParityResult {
  const replay = replayDraws(draws);
  // The published code draws twice for an answer, and scores the first.
  const choice = (count: number) => {
    const [first] = [replay.choice(count), replay.choice(count)];
    return first;
  };
  const rows = predictions.map(({ question_id: id, pred, image_path: image }) => {
    const { choices, answer: label } = problems[id]!;
    return { choices, label, answer: pred, hasImage: image !== null && image !== 'None' };
  });
  const score = scoreScienceQa(rows, { rule: 'honeybee', draws: { choice } });
  const ours = {
    acc: score.accuracy * 100,
    correct: score.correct,
    incorrect: score.total - score.correct,
    count: score.total,
    'acc-image': score.image.accuracy * 100,
    'acc-text': score.text.accuracy * 100,
  };
  return worstOf([compareValues(ours, result, 'sqa'), compareValues(replay.left(), 0, 'sqa draws left')]);
}

/** Options of the fixture's question, which it does not list: one of its answers names the cat. */
const mmmuOptions = { A: 'dog', B: 'cat', C: 'bird' };

function checkMmmu({ mmmu_open: open, mmmu_choice_parser: choices }: ScoringConfig): ParityResult {
  const opened = open.map(({ response, gold }) => {
    const parsed = parseMmmuOpen(response);
    return { parsed: mmmuPartTexts(parsed).sort(), correct: isMmmuOpenCorrect(parsed, gold) };
  });
  const chosen = choices.map(({ response, draws }) => {
    const replay = replayDraws(draws);
    const letter = parseMmmuChoice(response, mmmuOptions) ?? drawOption(Object.keys(mmmuOptions), { draws: replay });
    return { result: letter, left: replay.left() };
  });
  return worstOf([
    compareValues(
      opened,
      open.map(({ parsed, correct }) => ({ parsed: [...parsed].sort(), correct })),
      'mmmu_open',
    ),
    compareValues(
      chosen,
      choices.map(({ result }) => ({ result, left: 0 })),
      'mmmu_choice_parser',
    ),
  ]);
}

function checkLlavaBench({ llava_parse: parse, llava_summary: { reviews, result } }: ScoringConfig): ParityResult {
  const parsed = parse.map(({ review }) => ({ review, result: parseReview(review) }));
  const summary = scoreLlavaBench(
    reviews.map(({ category, tuple }) => ({ category: category.replace('llava_bench_', ''), scores: tuple })),
  );
  const ours = Object.entries(summary).map(([name, { score, reference, model }]) => [
    name,
    { score, gpt: reference, pred: model },
  ]);
  return worstOf([
    compareValues(parsed, parse, 'llava_parse'),
    compareValues(Object.fromEntries(ours), result, 'llava_summary'),
  ]);
}

async function checkScoring({ config }: Fixture): Promise<ParityResult> {
  const parts = [checkMme, checkMmbench, checkPope, checkSeed, checkScienceQa, checkMmmu, checkLlavaBench];
  return worstOf(parts.map((check) => check(config as ScoringConfig)));
}

/** Honeybee's evaluation. */
export const honeybeeChecks: ParityChecks = {
  'honeybee/eval_prompts': checkPrompts,
  'honeybee/scoring': checkScoring,
};
