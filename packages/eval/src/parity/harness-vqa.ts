import { type Fixture, type ParityCheck, type ParityChecks, worstOf } from '@ocelli/core-tensor';
import { isStVqaCorrect, textVqaAnswerScores } from '../benchmarks/text-vqa.js';
import { type VqaV2Rule, vqaSoftTargets, vqaV2Accuracy, vqaV2Submission } from '../benchmarks/vqa-v2.js';
import { anls } from '../metrics/anls.js';
import { exactMatch, looseMatch } from '../metrics/exact-match.js';
import { isRelaxedCorrect } from '../metrics/relaxed-accuracy.js';
import { meanOf } from '../metrics/share.js';
import { vqaAccuracy } from '../metrics/vqa-accuracy.js';
import { contractions } from '../text/contractions.js';
import { strip } from '../text/python-text.js';
import { stripReasoning, type TagPair } from '../text/reasoning-tags.js';
import {
  normalizeVqaAnswer,
  normalizeVqaWords,
  stripVqaPunctuation,
  tokenizeVqaAnswer,
  vqaArticles,
  vqaNumbers,
  vqaPunctuation,
} from '../text/vqa-answer.js';
import { compareValues } from './compare-values.js';

/** A fixture of a harness: documents, answers and what they score. */
export interface HarnessFixture<Doc, Extra = object> {
  readonly cases: readonly (Extra & { readonly doc: Doc; readonly response: string; readonly expect: unknown })[];
  readonly aggregates?: unknown;
  readonly counts?: unknown;
}

/** The cases of a fixture against what is computed for each, and the aggregates. */
export function compareCases<Doc, Extra = object>(
  { config }: Fixture,
  score: (each: HarnessFixture<Doc, Extra>['cases'][number]) => unknown,
  aggregate?: (scores: unknown[]) => unknown,
) {
  const { cases, aggregates } = config as HarnessFixture<Doc, Extra>;
  const ours = cases.map(score);
  return worstOf([
    compareValues(
      ours,
      cases.map(({ expect }) => expect),
      'cases',
    ),
    ...(aggregate ? [compareValues(aggregate(ours), aggregates, 'aggregates')] : []),
  ]);
}

/** The means of some figures over all cases that have them. */
function meansOf(names: readonly string[]) {
  return (scores: unknown[]) => {
    const rows = scores as Readonly<Record<string, number | undefined>>[];
    return Object.fromEntries(
      names.map((name) => {
        const values = rows.flatMap((row) => row[name] ?? []);
        return [name, { mean: meanOf(values), n: values.length }];
      }),
    );
  };
}

interface ExactMatchDoc {
  readonly reference: string;
  readonly options: {
    readonly ignore_case?: boolean;
    readonly ignore_punctuation?: boolean;
    readonly ignore_numbers?: boolean;
    readonly regexes_to_ignore?: readonly string[];
  };
}

const checkExactMatch: ParityCheck = async (fixture) =>
  compareCases<ExactMatchDoc>(fixture, ({ doc: { reference, options }, response }) =>
    Number(
      exactMatch(response, reference, {
        ignoreCase: options.ignore_case ?? false,
        ignorePunctuation: options.ignore_punctuation ?? false,
        ignoreNumbers: options.ignore_numbers ?? false,
        regexesToIgnore: (options.regexes_to_ignore ?? []).map((source) => new RegExp(source, 'u')),
      }),
    ),
  );

const checkGqa: ParityCheck = async (fixture) =>
  compareCases<{ readonly answer: string }>(
    fixture,
    ({ doc, response }) => ({ exact_match: Number(exactMatch(strip(response), doc.answer, looseMatch)) }),
    meansOf(['exact_match']),
  );

const checkNormalizer: ParityCheck = async (fixture) => {
  const sizes = {
    contractions: contractions.size,
    numbers: vqaNumbers.size,
    articles: vqaArticles.length,
    punctuations: vqaPunctuation.length,
  };
  const { counts } = fixture.config as HarnessFixture<undefined>;
  const expected = Object.fromEntries(
    Object.keys(sizes).map((name) => [name, (counts as Readonly<Record<string, number>>)[name]]),
  );
  return worstOf([
    compareCases(fixture, ({ response }) => ({
      tokenized: tokenizeVqaAnswer(response),
      punctuation: stripVqaPunctuation(response),
      digit_article: normalizeVqaWords(response),
      evalai: normalizeVqaAnswer(response),
      vlmevalkit: normalizeVqaAnswer(response, 'vlmevalkit'),
      managertower: normalizeVqaAnswer(response, 'managertower'),
    })),
    compareValues(sizes, expected, 'counts'),
  ]);
};

interface VqaDoc {
  readonly question_id: string | number;
  readonly answers: readonly string[] | null;
}

/** TextVQA, VizWiz and OK-VQA, which differ in the row for their servers. */
function vqaCheck(isById: boolean): ParityCheck {
  return async (fixture) =>
    compareCases<VqaDoc>(
      fixture,
      ({ doc: { question_id: id, answers }, response }) => {
        const answer = normalizeVqaAnswer(response);
        return {
          exact_match: vqaAccuracy(
            answer,
            (answers ?? []).map((each) => normalizeVqaAnswer(each)),
          ),
          submission: isById ? { question_id: id, answer } : { image: `${id}.jpg`, answer },
        };
      },
      meansOf(['exact_match']),
    );
}

interface VqaV2Doc {
  readonly question_id: number;
  readonly answers: readonly { readonly answer: string }[] | null;
}

function vqaV2Check(rule: VqaV2Rule): ParityCheck {
  return async (fixture) =>
    compareCases<VqaV2Doc>(
      fixture,
      ({ doc: { question_id, answers }, response }) => ({
        exact_match: vqaV2Accuracy(
          response,
          (answers ?? []).map(({ answer }) => answer),
          rule,
        ),
        submission: { question_id, answer: vqaV2Submission(response, answers !== null, rule) },
      }),
      meansOf(['exact_match']),
    );
}

const checkM4c: ParityCheck = async (fixture) =>
  compareCases<{ readonly gt_answers: readonly string[] }>(
    fixture,
    ({ doc: { gt_answers: annotators }, response }) => ({
      textvqa: textVqaAnswerScores(annotators).get(normalizeVqaAnswer(response)) ?? 0,
      stvqa: Number(isStVqaCorrect(response, annotators)),
    }),
    meansOf(['textvqa']),
  );

const checkSoftTargets: ParityCheck = async (fixture) =>
  compareCases<{ readonly answers: readonly string[] }>(fixture, ({ doc }) => ({
    soft_targets: Object.fromEntries(vqaSoftTargets(doc.answers)),
  }));

const checkAnls: ParityCheck = async (fixture) =>
  compareCases<{ readonly answers: readonly string[] }>(
    fixture,
    ({ doc, response }) => ({ anls: anls(strip(response), doc.answers) }),
    meansOf(['anls']),
  );

const checkChartQa: ParityCheck = async (fixture) =>
  compareCases<{ readonly answer: string; readonly type: 'human_test' | 'augmented_test' }>(
    fixture,
    ({ doc, response }) => {
      const score = Number(isRelaxedCorrect(strip(response), doc.answer));
      return { relaxed_overall: score, [`relaxed_${doc.type.replace('_test', '')}_split`]: score };
    },
    meansOf(['relaxed_overall', 'relaxed_human_split', 'relaxed_augmented_split']),
  );

const checkReasoningTags: ParityCheck = async (fixture) =>
  compareCases<{ readonly tags: readonly TagPair[] }>(fixture, ({ doc, response }) =>
    stripReasoning(response, doc.tags),
  );

/** What harnesses share, and the benchmarks of free answers. */
export const harnessVqaChecks: ParityChecks = {
  'eval/exact-match-options': checkExactMatch,
  'eval/gqa': checkGqa,
  'eval/vqa-normaliser': checkNormalizer,
  'eval/textvqa': vqaCheck(true),
  'eval/vizwiz': vqaCheck(false),
  'eval/okvqa': vqaCheck(false),
  'eval/vqav2-0.2.4': vqaV2Check('lmms-0.2.4'),
  'eval/vqav2-0.7.2': vqaV2Check('lmms-0.7.2'),
  'eval/textvqa-m4c': checkM4c,
  'eval/vqav2-soft-targets': checkSoftTargets,
  'eval/anls': checkAnls,
  'eval/chartqa': checkChartQa,
  'eval/reasoning-tags': checkReasoningTags,
};
