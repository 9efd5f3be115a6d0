import { type ParityCheck, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { BenchmarkError } from '../benchmark-error.js';
import { bleu, cider, rougeL } from '../metrics/captions.js';
import { classifierAccuracy, classifierVqaLoss, classifierVqaScore } from '../metrics/classifier.js';
import {
  comparePaired,
  detectableDifference,
  type PowerOptions,
  powerOf,
  questionsNeeded,
} from '../metrics/comparison.js';
import {
  featureSimilarities,
  type Recalls,
  type RetrievalScore,
  rescoreCandidates,
  scoreRetrieval,
} from '../metrics/retrieval.js';
import { meanOf } from '../metrics/share.js';
import {
  clusteredStandardError,
  combinedStandardError,
  meanOverParts,
  pooledStandardError,
  populationDeviation,
  repeatFigures,
  sampleDeviation,
  standardError,
} from '../metrics/statistics.js';
import { roundPython } from '../text/python-number.js';
import { compareValues, float32 } from './compare-values.js';

interface CaptionCase {
  readonly references: Readonly<Record<string, readonly string[]>>;
  readonly responses: Readonly<Record<string, string>>;
  readonly expect: unknown;
}

const checkCaptions: ParityCheck = async ({ config }) => {
  const { cases } = config as { readonly cases: readonly CaptionCase[] };
  return worstOf(
    cases.map(({ references, responses, expect }, index) => {
      const ids = Object.keys(references);
      const rows = ids.map((id) => ({ caption: responses[id]!, references: references[id]! }));
      const scores = [
        ...bleu(rows).map((score, n) => [`Bleu_${n + 1}`, score] as const),
        ['ROUGE_L', rougeL(rows)] as const,
        ['CIDEr', cider(rows)] as const,
      ];
      const perImage = ids.map((id, row) => [
        id,
        Object.fromEntries(scores.map(([name, score]) => [name, score.perImage[row]])),
      ]);
      const ours = {
        ...Object.fromEntries(scores.map(([name, { score }]) => [name, score])),
        per_image: Object.fromEntries(perImage),
      };
      return compareValues(ours, expect, `cases[${index}]`);
    }),
  );
};

interface ClassifierCase {
  readonly logits: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly losses: readonly number[];
  readonly expect: unknown;
}

const checkClassifier: ParityCheck = async ({ config }) => {
  const { cases } = config as { readonly cases: readonly ClassifierCase[] };
  return worstOf(
    cases.map(({ logits, targets, labels, losses, expect }, index) =>
      compareValues(
        {
          vqa_score: classifierVqaScore(logits, targets),
          accuracy: classifierAccuracy(logits, labels),
          mean_loss: meanOf(losses),
          vqa_loss: classifierVqaLoss(logits, targets),
        },
        expect,
        `cases[${index}]`,
        float32,
      ),
    ),
  );
};

interface RetrievalCase {
  readonly image_ids: readonly number[];
  readonly text_image_ids: readonly number[];
  readonly image_features: readonly (readonly number[])[];
  readonly text_features: readonly (readonly number[])[];
  readonly itm_score: readonly (readonly number[])[];
  readonly k_test: number;
  readonly expect: unknown;
}

const checkRetrieval: ParityCheck = async ({ config }) => {
  const { cases } = config as { readonly cases: readonly RetrievalCase[] };
  const figures = ({ image, text, mean }: RetrievalScore) => {
    const part = (name: string, { at1, at5, at10, mean: average }: Recalls) => ({
      [`${name}_r1`]: at1,
      [`${name}_r5`]: at5,
      [`${name}_r10`]: at10,
      [`${name}_mean`]: average,
    });
    return { ...part('ir', image), ...part('tr', text), r_mean: mean };
  };
  return worstOf(
    cases.map((each, index) => {
      const { image_ids: images, text_image_ids: texts, itm_score: matching, k_test: candidates } = each;
      const similarities = featureSimilarities(each.image_features, each.text_features);
      const rescored = rescoreCandidates(similarities, matching, candidates);
      return compareValues(
        {
          itc: figures(scoreRetrieval(similarities, images, texts)),
          itc_then_itm: figures(scoreRetrieval(rescored, images, texts)),
        },
        each.expect,
        `cases[${index}]`,
        float32,
      );
    }),
  );
};

interface StatisticsInput {
  readonly scores: readonly number[] | readonly (readonly number[])[];
  readonly clusters: readonly unknown[];
  readonly current: readonly number[];
  readonly baseline: readonly number[];
  readonly stderrs: readonly number[];
  readonly sizes: readonly number[];
  readonly metrics: readonly number[];
  readonly weight_by_size: boolean;
  readonly effect_size: number;
  readonly std_a: number;
  readonly std_b: number;
  readonly correlation: number;
  readonly alpha: number;
  readonly power: number;
  readonly current_n: number;
}

const statistics: Readonly<Record<string, (input: StatisticsInput) => unknown>> = {
  mean_stderr: ({ scores }) => {
    const values = scores as readonly number[];
    return {
      mean: meanOf(values),
      // The published median is the middle of the unsorted list, and nothing of ours.
      median: values[Math.floor(values.length / 2)],
      sample_stddev: sampleDeviation(values),
      pop_stddev: populationDeviation(values),
      mean_stderr: standardError(values),
    };
  },
  clustered_stderr: ({ scores, clusters }) => clusteredStandardError(scores as readonly number[], clusters),
  paired_ttest: ({ current, baseline }) => {
    const { count, meanDifference, standardError: error, lower, upper, t, pValue } = comparePaired(current, baseline);
    return {
      mean_diff: meanDifference,
      se_diff: error,
      ci_lower: lower,
      ci_upper: upper,
      t_stat: t,
      p_value: pValue,
      n: count,
    };
  },
  pooled_sample_stderr: ({ stderrs, sizes }) =>
    pooledStandardError(stderrs.map((error, index) => ({ error, size: sizes[index]! }))),
  combined_sample_stderr: ({ stderrs, sizes, metrics }) =>
    combinedStandardError(stderrs.map((error, index) => ({ error, size: sizes[index]!, value: metrics[index]! }))),
  aggregate_subtask_metrics: ({ metrics, sizes, weight_by_size: weighBySize }) =>
    meanOverParts(
      metrics.map((value, index) => ({ value, size: sizes[index]! })),
      { weighBySize },
    ),
  repeats: ({ scores }) => {
    const figures = repeatFigures(scores as readonly (readonly number[])[]);
    return {
      expected_accuracy: figures.expectedAccuracy,
      consensus_accuracy: figures.consensusAccuracy,
      internal_variance: figures.internalVariance,
      consistency_rate: figures.consistencyRate,
    };
  },
  power_analysis: ({
    effect_size,
    std_a = 0.5,
    std_b = std_a,
    correlation = 0.5,
    alpha = 0.05,
    power = 0.8,
    current_n,
  }) => {
    const options: PowerOptions = { deviation: std_a, otherDeviation: std_b, correlation, alpha, power };
    return {
      min_n: questionsNeeded(effect_size, options),
      ...{ effect_size, std_a, std_b, alpha, power, correlation },
      ...(current_n !== undefined && {
        current_n,
        current_power: roundPython(powerOf(effect_size, current_n, options), 4),
        min_detectable_effect: roundPython(detectableDifference(current_n, options), 4),
      }),
    };
  },
};

const checkStatistics: ParityCheck = async ({ config }) => {
  const { cases } = config as {
    readonly cases: readonly { readonly function: string; readonly input: StatisticsInput; readonly expect: unknown }[];
  };
  return worstOf(
    cases.map(({ function: name, input, expect }, index): ParityResult => {
      const compute = statistics[name];
      if (compute) return compareValues(compute(input), expect, `cases[${index}] ${name}`);
      throw new BenchmarkError({
        operation: 'check statistics',
        expected: Object.keys(statistics).join(', '),
        received: name,
      });
    }),
  );
};

/** Metrics beside benchmarks. */
export const harnessMetricChecks: ParityChecks = {
  'eval/captions': checkCaptions,
  'eval/classifier-metrics': checkClassifier,
  'eval/retrieval': checkRetrieval,
  'eval/statistics': checkStatistics,
};
