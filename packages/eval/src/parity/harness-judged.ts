import type { ParityCheck, ParityChecks } from '@ocelli/core-tensor';
import { parseGroundingBoxes } from '../answers/grounding-boxes.js';
import {
  extractMathVista,
  isMathVistaCorrect,
  type MathVistaQuestion,
  normalizeMathVista,
} from '../answers/mathvista.js';
import { extractMcqAnswer } from '../answers/mcq-answer.js';
import { inferMmbenchOption, type OptionTexts } from '../answers/mmbench-option.js';
import { inferVlmEvalKitOption } from '../answers/vlmevalkit-option.js';
import { scoreMathVista } from '../benchmarks/math-vista.js';
import { type MmbenchPass, type MmbenchScore, mmbenchJudgePrompt, scoreMmbench } from '../benchmarks/mmbench.js';
import { groundingBox, type RefcocoRegion, refcocoThresholds, summarizeOverlaps } from '../benchmarks/refcoco-rec.js';
import type { Share } from '../metrics/share.js';
import { formatFixed, roundPython } from '../text/python-number.js';
import { strip } from '../text/python-text.js';
import { compareCases, type HarnessFixture } from './harness-vqa.js';

interface MmbenchDoc extends Readonly<Record<'A' | 'B' | 'C' | 'D', string>> {
  readonly index: number;
  readonly question: string;
  readonly answer: string;
  readonly category: string;
  readonly 'L2-category': string;
}

const orFalse = (letter: string | undefined) => letter ?? false;

const checkMmbench: ParityCheck = async (fixture) => {
  type Judged = { readonly judge: string };
  const { cases } = fixture.config as HarnessFixture<MmbenchDoc, Judged>;
  const optionsOf = (doc: MmbenchDoc, withNan: boolean): OptionTexts =>
    Object.fromEntries(
      (['A', 'B', 'C', 'D'] as const).flatMap((letter) =>
        withNan || doc[letter] !== 'nan' ? [[letter, doc[letter]]] : [],
      ),
    );
  const sorted = [...cases].sort((a, b) => a.doc.index - b.doc.index);
  const passesOf = (withNan: boolean): MmbenchPass[] =>
    sorted.map(({ doc, response }) => ({
      index: doc.index,
      label: doc.answer,
      options: optionsOf(doc, withNan),
      category: doc.category,
      l2Category: doc['L2-category'],
      answer: response,
    }));
  const figures = ({ accuracy, categories, l2Categories }: MmbenchScore) => {
    const accuracies = (shares: ReadonlyMap<string, Share>) =>
      Object.fromEntries([...shares].map(([name, share]) => [name, share.accuracy]));
    return { overall: accuracy, category: accuracies(categories), l2: accuracies(l2Categories) };
  };
  const judged = (withNan: boolean) => {
    const passes = passesOf(withNan);
    const replies = new Map(sorted.map(({ judge }, place) => [passes[place]!, judge]));
    let calls = 0;
    const score = scoreMmbench(passes, {
      resolve: (pass) => {
        calls++;
        return inferMmbenchOption(replies.get(pass)!, pass.options);
      },
    });
    return { ...figures(score), judge_calls: calls };
  };
  const plain = passesOf(false);
  // The kit's table has a column E, too, whose empty cells have come to be the text `nan`.
  const kit = ({ answer, options }: MmbenchPass) => inferVlmEvalKitOption(answer, { ...options, E: 'nan' }, '2025');
  const groups = new Map<number, MmbenchPass[]>();
  for (const pass of plain) groups.set(pass.index % 1_000_000, [...(groups.get(pass.index % 1_000_000) ?? []), pass]);
  const hits = [...groups].map(([index, group]) => {
    const letters = group.map(kit);
    if (letters.some((letter, place) => letter !== undefined && letter !== group[place]!.label)) return [index, 0];
    return [index, letters.includes(undefined) ? null : 1];
  });
  const asked = sorted.find(({ doc, response }) => inferMmbenchOption(response, optionsOf(doc, false)) === undefined)!;
  return compareCases<MmbenchDoc, Judged>(
    fixture,
    ({ doc, response }) => ({
      inferred: orFalse(inferMmbenchOption(response, optionsOf(doc, false))),
      inferred_with_nan_strings: orFalse(inferMmbenchOption(response, optionsOf(doc, true))),
    }),
    () => ({
      circular_nan: judged(false),
      circular_nan_strings: judged(true),
      'static_0.7.2': figures(scoreMmbench(plain, { resolve: ({ answer }) => extractMcqAnswer(answer) })),
      first_judge_prompt: mmbenchJudgePrompt({
        question: asked.doc.question,
        options: optionsOf(asked.doc, false),
        answer: asked.response,
      }),
      vlmevalkit_prefetch_hits: Object.fromEntries(hits),
      vlmevalkit_exact_matching_overall: scoreMmbench(plain, { infer: kit }).accuracy,
      vanilla_pass0_rule_only_correct: [...groups.values()].filter(
        ([first]) => inferMmbenchOption(first!.answer, first!.options) === first!.label,
      ).length,
      groups: groups.size,
    }),
  );
};

const checkGrounding: ParityCheck = async (fixture) => {
  type Region = Omit<RefcocoRegion, 'answer'>;
  const { cases } = fixture.config as HarnessFixture<Region>;
  const rows = cases.map(({ doc, response }) => {
    const [x, y, w, h] = doc.bbox;
    return { box: [x, y, x + w, y + h] as const, predicted: groundingBox(response, doc).box };
  });
  const { iou, accuracy, centerAccuracy } = summarizeOverlaps(rows);
  return compareCases<Region>(
    fixture,
    ({ doc, response }) => {
      const { box, overlap } = groundingBox(response, doc);
      return { pred_boxes: parseGroundingBoxes(response), pred: box, iou: overlap };
    },
    () => ({
      refcoco_grounding_IoU: iou,
      ...Object.fromEntries(refcocoThresholds.map((each) => [`refcoco_grounding_ACC@${each}`, accuracy[each]])),
      refcoco_grounding_Center_ACC: centerAccuracy,
    }),
  );
};

interface MathVistaDoc {
  readonly question_type: MathVistaQuestion['questionType'];
  readonly answer_type: MathVistaQuestion['answerType'];
  readonly choices: readonly string[] | null;
  readonly answer: string;
  readonly precision: number;
  readonly metadata: Readonly<Record<string, string | readonly string[]>>;
}

const checkMathVista: ParityCheck = async (fixture) => {
  type Judged = { readonly judge: string; readonly quick_extract: boolean };
  type Scored = { readonly true_false: boolean };
  const { cases } = fixture.config as HarnessFixture<MathVistaDoc, Judged>;
  return compareCases<MathVistaDoc, Judged>(
    fixture,
    ({ doc, response, judge, quick_extract: quick }) => {
      const { question_type: questionType, answer_type: answerType, choices, precision } = doc;
      const question = { questionType, answerType, choices, precision };
      const extracted = extractMathVista(strip(response), question, { quick });
      const extraction = extracted ?? judge;
      const prediction = normalizeMathVista(extraction, question);
      const published =
        answerType === 'float' ? normalizeMathVista(extraction, question, { precision: 'float' }) : undefined;
      return {
        extraction,
        asked_judge: extracted === undefined,
        prediction: prediction ?? null,
        float_precision_prediction: published ?? null,
        true_false: isMathVistaCorrect(prediction, doc.answer),
      };
    },
    (scores) => {
      const rows = cases.map(({ doc: { question_type, answer_type, metadata } }, index) => {
        const { split: _part, ...groups } = metadata;
        return {
          groups: { question_type, answer_type, ...groups },
          correct: (scores as Scored[])[index]!.true_false,
        };
      });
      const { groups, total, accuracy } = scoreMathVista(rows);
      const by = [...groups].map(([key, share]) => [
        key,
        { correct: share.correct, total: share.total, accuracy: formatFixed(share.accuracy * 100, 2) },
      ]);
      return { gpt_eval_score: roundPython(accuracy * 100, 2), n: total, by: Object.fromEntries(by) };
    },
  );
};

/** Judged benchmarks, with their judges' replies. */
export const harnessJudgedChecks: ParityChecks = {
  'eval/mmbench': checkMmbench,
  'eval/refcoco-grounding': checkGrounding,
  'eval/mathvista': checkMathVista,
};
