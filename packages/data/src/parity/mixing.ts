import { type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { mixDatasets } from '../loader/dataset.js';

interface MixingCase {
  readonly sizes: readonly number[];
  readonly sampling_weights: 'uniform' | 'length_ratio' | readonly number[];
  readonly probabilities: readonly number[];
}

/** Probabilities of data sets. The schedules of the same fixture are the trainer's. */
async function checkMixing({ config }: Fixture): Promise<ParityResult> {
  const { mixing } = config as { readonly mixing: readonly MixingCase[] };
  return worstOf(
    mixing.map(({ sizes, sampling_weights: weights, probabilities: expected }) => {
      const datasets = sizes.map((size) => ({
        name: `${size} samples`,
        size,
        get: () => ({ id: '', images: [], turns: [] }),
      }));
      const { probabilities } = mixDatasets(datasets, weights);
      const isComplete = probabilities.length === expected.length;
      const forward = Math.max(
        ...expected.map((probability, index) => Math.abs(probability - (probabilities[index] ?? Number.NaN))),
      );
      return {
        forward,
        gradient: 0,
        mismatches: isComplete ? [] : [`mixing: ${probabilities.length} probabilities instead of ${expected.length}`],
      };
    }),
  );
}

/** How data sets are mixed. */
export const mixingChecks: ParityChecks = { 'honeybee/schedule_and_mixing': checkMixing };
