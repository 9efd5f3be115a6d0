import { type ParityCheck, type ParityChecks, worstOf } from '@ocelli/core-tensor';
import { extractMcqAnswer } from '../answers/mcq-answer.js';
import {
  inferMmbenchLetter,
  inferMmbenchOption,
  inferMmbenchText,
  type OptionTexts,
} from '../answers/mmbench-option.js';
import { parseMmmuChoice } from '../answers/mmmu-choice.js';
import { filterRealWorldQa, isRealWorldQaCorrect } from '../answers/realworldqa.js';
import { inferVlmEvalKitLetter, inferVlmEvalKitOption, inferVlmEvalKitText } from '../answers/vlmevalkit-option.js';
import { parseAi2d } from '../benchmarks/ai2d.js';
import { isMmStarCorrect, type MmStarRule, scoreMmStar } from '../benchmarks/mm-star.js';
import { isOcrBenchCorrect, type OcrBenchRule } from '../benchmarks/ocr-bench.js';
import { parseScienceQa, type ScienceQaRule, scoreScienceQa } from '../benchmarks/science-qa.js';
import { isSeedCorrect, scoreSeed, seedQuestionTypes } from '../benchmarks/seed-bench.js';
import { exactMatch, looseMatch } from '../metrics/exact-match.js';
import { groupBy, meanOf, shareOf } from '../metrics/share.js';
import { roundPython } from '../text/python-number.js';
import { strip } from '../text/python-text.js';
import { compareValues } from './compare-values.js';
import { checkMmmu, checkMmmuNormalise, lettersOf, random } from './harness-mmmu.js';
import { compareCases, type HarnessFixture } from './harness-vqa.js';

const orFalse = (letter: string | undefined) => letter ?? false;

const checkExtraction: ParityCheck = async (fixture) =>
  compareCases<{ readonly options: OptionTexts }>(fixture, ({ doc: { options }, response }) => ({
    'lmms_0.7.2_extract': extractMcqAnswer(response, Object.keys(options)) ?? '',
    'lmms_0.7.2_extract_default_choices': extractMcqAnswer(response) ?? '',
    mmbench_option: orFalse(inferMmbenchLetter(response)),
    mmbench_text: orFalse(inferMmbenchText(response, options)),
    mmbench: orFalse(inferMmbenchOption(response, options)),
    vlmevalkit_option: orFalse(inferVlmEvalKitLetter(response, options, '2025')),
    vlmevalkit_text: orFalse(inferVlmEvalKitText(response, options, '2025')),
    vlmevalkit: orFalse(inferVlmEvalKitOption(response, options, '2025')),
  }));

interface MmStarDoc {
  readonly category: string;
  readonly l2_category: string;
  readonly answer: string;
}

function mmStarCheck(rule: MmStarRule): ParityCheck {
  return async (fixture) => {
    const rows = (fixture.config as HarnessFixture<MmStarDoc>).cases.map(({ doc, response }) => ({
      category: doc.category,
      l2Category: doc.l2_category,
      label: doc.answer,
      answer: response,
    }));
    const { categories, average } = scoreMmStar(rows, { rule });
    return compareCases<MmStarDoc>(
      fixture,
      ({ doc, response }) => ({ score: Number(isMmStarCorrect(response, doc.answer, rule)) }),
      () => ({ ...Object.fromEntries(categories), average }),
    );
  };
}

interface ScienceQaDoc {
  readonly choices: readonly string[];
  readonly answer: number;
  readonly image: unknown;
}

const checkScienceQa: ParityCheck = async (fixture) => {
  type Scored = Readonly<Record<'0.2.4' | '0.7.2' | 'script_correct', number>>;
  return compareCases<ScienceQaDoc>(
    fixture,
    ({ doc: { choices, answer: label }, response }) => {
      const row = [{ choices, label, answer: response, hasImage: true }];
      const correct = (rule: ScienceQaRule) => scoreScienceQa(row, { rule }).correct;
      const parsed = parseScienceQa(response, choices, 'honeybee');
      const index = scoreScienceQa(row, { rule: 'honeybee' }).indices[0]!;
      return {
        '0.2.4': correct('lmms-0.2.4'),
        '0.7.2': correct('lmms-0.7.2'),
        script_index: scoreScienceQa(row).indices[0],
        script_correct: correct('llava'),
        honeybee_parsed: parsed ?? 'FAILED',
        honeybee_index: index < 0 ? random : index,
      };
    },
    (scores) => {
      const mean = (name: keyof Scored) => ({ mean: meanOf((scores as Scored[]).map((score) => score[name])) });
      return { '0.2.4': mean('0.2.4'), '0.7.2': mean('0.7.2'), script: mean('script_correct') };
    },
  );
};

interface SeedDoc {
  readonly answer: string;
  readonly data_type: 'image' | 'video';
  readonly question_type_id: number;
}

const checkSeed: ParityCheck = async (fixture) => {
  const rows = (fixture.config as HarnessFixture<SeedDoc>).cases.map(({ doc, response }) => ({
    isImage: doc.data_type === 'image',
    label: doc.answer,
    questionTypeId: doc.question_type_id,
    answer: response,
  }));
  const percent = ({ total, correct, accuracy }: ReturnType<typeof shareOf>) => ({
    total,
    correct,
    acc: accuracy * 100,
  });
  const whole = scoreSeed(rows, { rule: 'whole' });
  const types = [...whole.types].map(([id, share]) => [seedQuestionTypes[id], percent(share)]);
  return compareCases<SeedDoc>(
    fixture,
    ({ doc, response }) => ({
      pred: [...strip(response)][0] ?? '',
      correct: isSeedCorrect(response, doc.answer),
    }),
    () => ({
      seed_image: scoreSeed(rows.filter(({ isImage }) => isImage)).accuracy,
      seed_video: scoreSeed(rows.filter(({ isImage }) => !isImage)).accuracy,
      seed_all: scoreSeed(rows).accuracy,
      honeybee_exact_match: { ...Object.fromEntries(types), Total: percent(whole) },
    }),
  );
};

const checkAi2d: ParityCheck = async (fixture) =>
  compareCases<{ readonly answer: string }>(
    fixture,
    ({ doc, response }) => {
      const filtered = parseAi2d(response, 'lmms-eval')!;
      const target = 'ABCD'[Number(doc.answer)]!;
      return { filtered, target, exact_match: Number(exactMatch(strip(filtered), target, looseMatch)) };
    },
    (scores) => ({
      exact_match: { mean: meanOf((scores as { exact_match: number }[]).map((each) => each.exact_match)) },
    }),
  );

interface QBenchDoc extends Readonly<Record<`option${number}`, string>> {
  readonly correct_choice: string;
}

const checkQBench: ParityCheck = async (fixture) =>
  compareCases<QBenchDoc>(
    fixture,
    ({ doc, response, expect }) => {
      const texts = [doc.option0, doc.option1, doc.option2, doc.option3].filter(
        (text) => text !== undefined && text !== 'N/A',
      );
      const parsed = parseMmmuChoice(strip(response), lettersOf(texts as string[]), 'lmms-eval') ?? random;
      return { ...(expect as object), parsed, correct: parsed === doc.correct_choice };
    },
    (scores) => {
      const read = (scores as { parsed: string; correct: boolean }[]).filter(({ parsed }) => parsed !== random);
      return { qbench_acc: roundPython(shareOf(read.map(({ correct }) => correct)).accuracy, 5), n: read.length };
    },
  );

interface RealWorldQaDoc {
  readonly question: string;
  readonly answer: string;
}

const exactMatchMean = (scores: unknown[]) => ({
  exact_match: { mean: meanOf((scores as { exact_match: number }[]).map((each) => each.exact_match)) },
});

const realWorldQaChecks: ParityChecks = {
  'eval/realworldqa-0.2.4': async (fixture) =>
    compareCases<RealWorldQaDoc>(
      fixture,
      ({ doc, response }) => {
        const filtered = filterRealWorldQa(response, doc.question);
        return { filtered, exact_match: Number(exactMatch(filtered, doc.answer, looseMatch)) };
      },
      exactMatchMean,
    ),
  'eval/realworldqa-0.7.2': async (fixture) =>
    compareCases<RealWorldQaDoc>(
      fixture,
      ({ doc, response }) => ({ exact_match: Number(isRealWorldQaCorrect(response, doc.answer)) }),
      exactMatchMean,
    ),
};

interface OcrBenchDoc {
  readonly dataset: string;
  readonly question_type: string;
  readonly answer: string | readonly string[];
}

const checkOcrBench: ParityCheck = async ({ config }) => {
  const { cases, aggregates } = config as HarnessFixture<OcrBenchDoc>;
  const rules: readonly OcrBenchRule[] = ['lmms-0.2.4', 'lmms-0.7.2'];
  const expected = aggregates as Readonly<Record<string, unknown>>;
  return worstOf(
    rules.flatMap((rule) => {
      const name = rule.replace('lmms-', '');
      const scores = cases.map(({ doc, response }) => ({
        type: doc.question_type,
        correct: isOcrBenchCorrect(strip(response), doc.answer, { dataset: doc.dataset, rule }),
      }));
      const types = [...groupBy(scores, ({ type }) => type)].map(([type, rows]) => [
        type,
        rows.filter(({ correct }) => correct).length,
      ]);
      return [
        compareValues(
          scores.map(({ correct }) => Number(correct)),
          cases.map(({ expect }) => (expect as Readonly<Record<string, number>>)[name]),
          name,
        ),
        compareValues(scores.filter(({ correct }) => correct).length / 1000, expected[name], `${name} score`),
        compareValues(Object.fromEntries(types), expected[`${name} per type`], `${name} per type`),
      ];
    }),
  );
};

/** Multiple choice in the harnesses. */
export const harnessChoiceChecks: ParityChecks = {
  'eval/mcq-extraction': checkExtraction,
  'eval/mmmu': checkMmmu,
  'eval/mmmu-normalise': checkMmmuNormalise,
  'eval/mmstar-0.2.4': mmStarCheck('lmms-0.2.4'),
  'eval/mmstar-0.7.2': mmStarCheck('lmms-0.7.2'),
  'eval/scienceqa': checkScienceQa,
  'eval/seedbench': checkSeed,
  'eval/ai2d': checkAi2d,
  'eval/qbench': checkQBench,
  ...realWorldQaChecks,
  'eval/ocrbench': checkOcrBench,
};
