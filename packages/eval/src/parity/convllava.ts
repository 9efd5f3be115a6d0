import { type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import type { BoxCorners } from '../answers/box.js';
import type { OptionTexts } from '../answers/mmbench-option.js';
import { inferVlmEvalKitOption } from '../answers/vlmevalkit-option.js';
import { extractYesNo } from '../answers/yes-no.js';
import {
  type ImageExtent,
  readRefcocoBox,
  refcocoBoxText,
  refcocoQuestion,
  scoreRefcoco,
} from '../benchmarks/refcoco.js';
import { textVqaAnswerScores } from '../benchmarks/text-vqa.js';
import { anls, normalizedDistance } from '../metrics/anls.js';
import { normalizeVqaAnswer } from '../text/vqa-answer.js';
import { compareValues, float32 } from './compare-values.js';

interface MetricsConfig {
  readonly textvqa: readonly { readonly prediction: string; readonly answers: readonly string[] }[];
  readonly docvqa: readonly { readonly prediction: string; readonly answers: readonly string[] }[];
  readonly multiple_choice: readonly { readonly prediction: string; readonly choices: OptionTexts }[];
  readonly yes_no: readonly { readonly prediction: string }[];
}

/** What VLMEvalKit calls {@link extractYesNo}'s results. */
const yesNoNames = { yes: 'Yes', no: 'No', other: 'Unknown' };

async function checkMetrics({ config }: Fixture): Promise<ParityResult> {
  const { textvqa, docvqa, multiple_choice: choices, yes_no: yesNo } = config as MetricsConfig;
  const normalize = (text: string) => normalizeVqaAnswer(text, 'vlmevalkit');
  const ours = {
    textvqa: textvqa.map((each) => ({
      ...each,
      normalized: normalize(each.prediction),
      normalized_answers: each.answers.map(normalize),
      score: textVqaAnswerScores(each.answers, 'vlmevalkit').get(normalize(each.prediction)) ?? 0,
    })),
    docvqa: docvqa.map((each) => ({
      ...each,
      distances: each.answers.map((answer) => normalizedDistance(each.prediction, answer, { length: 'collapsed' })),
      score: anls(each.prediction, each.answers, { length: 'collapsed' }),
    })),
    multiple_choice: choices.map((each) => ({
      ...each,
      option: inferVlmEvalKitOption(each.prediction, each.choices) ?? null,
    })),
    yes_no: yesNo.map((each) => ({ ...each, extracted: yesNoNames[extractYesNo(each.prediction)] })),
  };
  return compareValues(ours, { textvqa, docvqa, multiple_choice: choices, yes_no: yesNo }, 'metrics');
}

interface RefcocoConfig {
  readonly prompt: string;
  readonly cases: readonly (ImageExtent & { readonly answer: string; readonly gt_xyxy: BoxCorners })[];
  readonly precision_at_1: number;
  readonly format: readonly (ImageExtent & { readonly xyxy: BoxCorners; readonly text: string })[];
}

async function checkRefcoco({ config }: Fixture): Promise<ParityResult> {
  const { prompt, cases, precision_at_1: precision, format } = config as RefcocoConfig;
  const { accuracy, overlaps } = scoreRefcoco(
    cases.map(({ answer, width, height, gt_xyxy: box }) => ({ answer, width, height, box })),
  );
  const read = cases.map((each, index) => {
    const { values, parsed, thousandths, box } = readRefcocoBox(each.answer, each);
    const iou = overlaps[index]!;
    return { ...each, parsed, values, divided_by_1000: thousandths, pred_xyxy: box, iou, correct: iou >= 0.5 };
  });
  return worstOf([
    compareValues(refcocoQuestion('{}'), prompt, 'prompt'),
    compareValues(read, cases, 'cases', float32),
    compareValues(accuracy, precision, 'precision_at_1'),
    ...format.map(({ xyxy, text, ...image }, index) =>
      compareValues(refcocoBoxText(xyxy, image), text, `format[${index}]`),
    ),
  ]);
}

/** ConvLLaVA's evaluation. */
export const convllavaChecks: ParityChecks = {
  'convllava/metrics': checkMetrics,
  'convllava/refcoco': checkRefcoco,
};
