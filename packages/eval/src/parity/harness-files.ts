import { type ParityCheck, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { isMathVistaKitCorrect, type MathVistaKitRow, prefetchMathVista } from '../answers/mathvista-kit.js';
import { gradeMmVet, mmVetRow, scoreMmVet } from '../benchmarks/mm-vet.js';
import {
  captionSubmission,
  docVqaSubmission,
  mmbenchColumns,
  mmbenchRow,
  mmmuSubmission,
  type TestAnswer,
  vizWizSubmission,
  vqaSubmission,
} from '../benchmarks/submissions.js';
import { formatFixed } from '../text/python-number.js';
import { strip } from '../text/python-text.js';
import { compareValues } from './compare-values.js';
import { compareCases, type HarnessFixture } from './harness-vqa.js';
import { checkMathVistaQueries } from './mathvista-queries.js';

interface KitDoc {
  readonly question_type: MathVistaKitRow['questionType'];
  readonly answer_type: MathVistaKitRow['answerType'];
  readonly answer: string;
  readonly choices: string;
  readonly answer_option: string | null;
}

const checkMathVistaKit: ParityCheck = async (fixture) =>
  compareCases<KitDoc>(fixture, ({ doc, response }) => {
    const row = {
      questionType: doc.question_type,
      answerType: doc.answer_type,
      answer: doc.answer,
      choices: doc.choices,
      answerOption: doc.answer_option,
    };
    return { prefetch: prefetchMathVista(response, row) ?? false, final: isMathVistaKitCorrect(response, row) };
  });

interface MmVetDoc {
  readonly question: string;
  readonly answer: string;
  readonly capability: string;
}

const checkMmVet: ParityCheck = async ({ config }) => {
  const { cases, aggregates } = config as HarnessFixture<MmVetDoc, { readonly judge: readonly string[] }>;
  const rows: { capability: string; grade: number }[] = [];
  const results: ParityResult[] = [];
  for (const [index, { doc, response, judge, expect }] of cases.entries()) {
    const temperatures: number[] = [];
    const grade = await gradeMmVet(async (temperature) => {
      const reply = judge[temperatures.length];
      temperatures.push(temperature);
      return reply === '<HTTP error>' ? undefined : reply;
    });
    rows.push({ capability: doc.capability, grade: grade ?? Number.NaN });
    const prompt = mmVetRow({ question: doc.question, reference: doc.answer, answer: strip(response) });
    results.push(compareValues({ score: grade, temperatures, prompt_tail: `\n${prompt}` }, expect, `cases[${index}]`));
  }
  const { score, capabilities, combinations } = scoreMmVet(rows);
  // A combination of one has the name of its capability, and is logged in its place.
  const figures = { 'Overall Score': score, ...capabilities, ...combinations };
  const logged = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, formatFixed(value, 2)]));
  const { gpt_eval_score, logged: expected } = aggregates as {
    readonly gpt_eval_score: number;
    readonly logged: Readonly<Record<string, string>>;
  };
  return worstOf([
    ...results,
    compareValues(score, gpt_eval_score, 'gpt_eval_score'),
    compareValues(logged, expected, 'logged'),
  ]);
};

interface SubmissionCase {
  readonly task: string;
  readonly docs: readonly Readonly<Record<string, string | number>>[];
  readonly responses: readonly string[];
  readonly expect: {
    readonly rows: readonly Readonly<Record<string, unknown>>[];
    readonly files?: Readonly<Record<string, string>>;
    readonly columns?: readonly string[];
  };
}

/** The files, and the names that their tasks have for the id of a question. */
const files: Readonly<Record<string, readonly [id: string, file: (answers: readonly TestAnswer[]) => unknown]>> = {
  vqav2_test: ['question_id', vqaSubmission],
  textvqa_test: ['question_id', vqaSubmission],
  vizwiz_vqa_test: ['question_id', vizWizSubmission],
  docvqa_test: ['questionId', docVqaSubmission],
  mmmu_test: ['id', mmmuSubmission],
  flickr30k_test: ['img_id', captionSubmission],
};

const checkSubmissions: ParityCheck = async ({ config }) => {
  const { cases } = config as { readonly cases: readonly SubmissionCase[] };
  return worstOf(
    cases.flatMap(({ task, docs, responses, expect }) => {
      const known = files[task];
      if (!known) {
        const rows = docs.map((doc, index) => mmbenchRow(doc, responses[index]!));
        return [compareValues(rows, expect.rows, task), compareValues([...mmbenchColumns], expect.columns, task)];
      }
      const [id, file] = known;
      const ours = file(docs.map((doc, index) => ({ id: doc[id]!, answer: responses[index]! })));
      return Object.entries(expect.files!).map(([name, text]) => compareValues(ours, JSON.parse(text), name));
    }),
  );
};

/** Files for graders and servers, and the grades. */
export const harnessFileChecks: ParityChecks = {
  'eval/mathvista-queries': checkMathVistaQueries,
  'eval/mathvista-vlmevalkit': checkMathVistaKit,
  'eval/mmvet': checkMmVet,
  'eval/submissions': checkSubmissions,
};
