import { type ParityCheck, type ParityChecks, worstOf } from '@ocelli/core-tensor';
import type { BoxCorners } from '../answers/box.js';
import { parseDecimalBox } from '../answers/grounding-boxes.js';
import { extractYesNo, mmeLabel, popeAnswer } from '../answers/yes-no.js';
import {
  hallusionJudgePrompt,
  hallusionVerdict,
  isHallusionVerdictCorrect,
  readHallusionJudge,
  type ScoreHallusionOptions,
  scoreHallusionGroups,
} from '../benchmarks/hallusion-bench.js';
import { mmeCategories, scoreMme } from '../benchmarks/mme.js';
import { scorePope } from '../benchmarks/pope.js';
import { readRefcocoBox, scoreRefcoco } from '../benchmarks/refcoco.js';
import {
  emptyBox,
  type RefcocoRegion,
  refcocoRecQuestions,
  refcocoThresholds,
  scoreRefcocoRec,
} from '../benchmarks/refcoco-rec.js';
import { binaryScores, countConfusion } from '../metrics/binary-classification.js';
import { boxOverlap, hasCenterWithin } from '../metrics/box-overlap.js';
import { roundPython } from '../text/python-number.js';
import { strip } from '../text/python-text.js';
import { compareValues, float32 } from './compare-values.js';
import { compareCases, type HarnessFixture } from './harness-vqa.js';

interface MmeDoc {
  readonly question_id: string;
  readonly answer: string;
  readonly category: string;
}

const checkMme: ParityCheck = async (fixture) => {
  const rows = (fixture.config as HarnessFixture<MmeDoc>).cases.map(({ doc, response }) => ({
    category: doc.category,
    image: doc.question_id,
    label: doc.answer.toLowerCase() as 'yes' | 'no',
    answer: response,
  }));
  const { categories, perception, cognition } = scoreMme(rows, { rule: 'lmms-eval' });
  const perCategory = Object.entries(categories).map(([name, { score }]) => [name, score]);
  const isPerception = (category: string) => (mmeCategories.perception as readonly string[]).includes(category);
  return compareCases<MmeDoc>(
    fixture,
    ({ doc, response }) => {
      const label = mmeLabel(response, 'lmms-eval');
      return {
        label,
        metric: isPerception(doc.category) ? 'mme_perception_score' : 'mme_cognition_score',
        score: Number(label === doc.answer.toLowerCase()),
        official_label: mmeLabel(strip(response)),
        honeybee_relaxed_label: mmeLabel(response, 'relaxed'),
      };
    },
    () => ({
      mme_perception_score: perception.score,
      mme_cognition_score: cognition.score,
      per_category: Object.fromEntries(perCategory),
      max_if_every_category_present: {
        mme_perception_score: 200 * mmeCategories.perception.length,
        mme_cognition_score: 200 * mmeCategories.cognition.length,
      },
    }),
  );
};

interface PopeDoc {
  readonly answer: 'yes' | 'no';
}

const yesNoNames = { yes: 'Yes', no: 'No', other: 'Unknown' };

const checkPope: ParityCheck = async (fixture) => {
  const rows = (fixture.config as HarnessFixture<PopeDoc>).cases.map(({ doc, response }) => ({
    label: doc.answer,
    answer: strip(response),
  }));
  const harness = scorePope(rows, { rule: 'lmms-eval', yesRatioOf: 'labels' });
  const { counts, yesRatio, ...llava } = scorePope(rows, { epsilon: 1e-12 });
  const degenerate = (answer: 'no' | 'other') => {
    const { precision, recall, f1 } = binaryScores(countConfusion([{ label: 'yes', answer }]));
    return { precision, recall, f1_score: f1 };
  };
  return compareCases<PopeDoc>(
    fixture,
    ({ doc, response }) => ({
      prediction: strip(response.toLowerCase()),
      score: Number(popeAnswer(response, 'lmms-eval') === doc.answer),
      llava_answer: popeAnswer(strip(response)),
      vlmevalkit: yesNoNames[extractYesNo(response)],
    }),
    () => ({
      lmms_eval: {
        pope_accuracy: harness.accuracy,
        pope_precision: harness.precision,
        pope_recall: harness.recall,
        pope_f1_score: harness.f1,
        pope_yes_ratio: harness.yesRatio,
      },
      llava_style: {
        ...llava,
        yes_ratio: yesRatio,
        TP: counts.truePositive,
        FP: counts.falsePositive,
        TN: counts.trueNegative,
        FN: counts.falseNegative,
      },
      degenerate: { no_yes_predicted: degenerate('no'), all_other: degenerate('other') },
    }),
  );
};

interface HallusionDoc {
  readonly category: string;
  readonly subcategory: string;
  readonly set_id: string;
  readonly figure_id: string;
  readonly question_id: string;
  readonly gt_answer: '0' | '1';
  readonly question: string;
  readonly gt_answer_details: string;
}

const checkHallusion: ParityCheck = async (fixture) => {
  type Judged = { readonly judge: string };
  const { cases, aggregates } = fixture.config as HarnessFixture<HallusionDoc, Judged>;
  const judged = ({ doc, judge }: (typeof cases)[number]) =>
    isHallusionVerdictCorrect(readHallusionJudge(judge), { category: doc.category, figureId: doc.figure_id });
  const ruled = ({ doc, response }: (typeof cases)[number]) => hallusionVerdict(response) === doc.gt_answer;
  const score = (isCorrect: typeof judged, options?: ScoreHallusionOptions) =>
    scoreHallusionGroups(
      cases.map((each) => ({
        category: each.doc.category,
        subcategory: each.doc.subcategory,
        setId: each.doc.set_id,
        figureId: each.doc.figure_id,
        questionId: each.doc.question_id,
        correct: isCorrect(each),
      })),
      options,
    );
  const rounded = ({ aAcc, qAcc, fAcc }: ReturnType<typeof score>, decimals: number) => ({
    aAcc: roundPython(aAcc * 100, decimals),
    qAcc: roundPython(qAcc * 100, decimals),
    fAcc: roundPython(fAcc * 100, decimals),
  });
  const { rule, judge, vlmevalkit_on_rule_scores, judge_request } = aggregates as Readonly<Record<string, object>>;
  const { doc: first, response } = cases[0]!;
  const content = hallusionJudgePrompt({
    question: first.question,
    reference: first.gt_answer_details,
    answer: strip(response),
  });
  return worstOf([
    compareCases<HallusionDoc, Judged>(fixture, (each) => ({
      rule_answer: hallusionVerdict(each.response),
      rule_correct: ruled(each),
      judge_code: readHallusionJudge(each.judge),
      judge_correct: Number(judged(each)),
    })),
    compareValues(
      content,
      (judge_request as { readonly messages: readonly { content: string }[] }).messages[0]!.content,
      'judge_request',
    ),
    compareValues(
      {
        rule: score(ruled),
        judge: rounded(score(judged, { noFigure: 'left-out' }), 4),
        vlmevalkit_on_rule_scores: rounded(score(ruled), 13),
      },
      { rule, judge, vlmevalkit_on_rule_scores },
      'aggregates',
    ),
  ]);
};

interface PixelBoxDoc {
  readonly bbox: BoxCorners;
  readonly width: number;
  readonly height: number;
}

const checkConvllavaBoxes: ParityCheck = async ({ config }) => {
  const { cases, aggregates } = config as HarnessFixture<PixelBoxDoc>;
  const score = scoreRefcoco(cases.map(({ doc, response }) => ({ ...doc, box: doc.bbox, answer: strip(response) })));
  const ours = cases.map(({ doc, response }, index) => ({
    box_in_pixels: readRefcocoBox(strip(response), doc).box,
    iou: score.overlaps[index],
    hit: score.overlaps[index]! >= 0.5,
  }));
  return worstOf([
    compareValues(
      ours,
      cases.map(({ expect }) => expect),
      'cases',
      float32,
    ),
    compareValues({ 'precision@1': score.accuracy, n: score.total }, aggregates, 'aggregates'),
  ]);
};

const checkRec: ParityCheck = async (fixture) => {
  const { cases } = fixture.config as HarnessFixture<{ readonly bbox: BoxCorners }>;
  const { iou, accuracy, centerAccuracy } = scoreRefcocoRec(
    cases.map(({ doc, response }) => ({ box: doc.bbox, answer: response })),
  );
  return compareCases<{ readonly bbox: BoxCorners }>(
    fixture,
    ({ doc, response }) => {
      const pred = parseDecimalBox(response) ?? emptyBox;
      return { pred, iou: boxOverlap(doc.bbox, pred), center: hasCenterWithin(pred, doc.bbox) };
    },
    () => ({
      refcoco_IoU: iou,
      ...Object.fromEntries(refcocoThresholds.map((each) => [`refcoco_ACC@${each}`, accuracy[each]])),
      refcoco_Center_ACC: centerAccuracy,
    }),
  );
};

const checkRows: ParityCheck = async (fixture) =>
  compareCases<RefcocoRegion>(fixture, ({ doc }) =>
    refcocoRecQuestions(doc).map(({ box, sentence, prompt }) => ({ bbox: box, answer: sentence, prompt })),
  );

/** Yes or no, and boxes, in the harnesses. */
export const harnessYesNoChecks: ParityChecks = {
  'eval/mme': checkMme,
  'eval/pope': checkPope,
  'eval/hallusionbench': checkHallusion,
  'eval/refcoco-convllava': checkConvllavaBoxes,
  'eval/refcoco-rec': checkRec,
  'eval/refcoco-rows': checkRows,
};
