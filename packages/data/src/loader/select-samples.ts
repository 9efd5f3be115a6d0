import { fold, randomKey } from '../random.js';
import type { Dataset } from './dataset.js';
import { LoaderError } from './loader-error.js';
import { permutation } from './permutation.js';

/**
 * Which samples of a data set are taken: `all`, or the `first`, the last (`end`), or `random` ones, as a share of them,
 * such as `first:30%`, rounded up, or as a number, such as `end:1000`.
 */
export type SampleSelection = 'all' | `${'first' | 'end' | 'random'}:${number}${'' | '%'}`;

const PATTERN = /^(first|end|random):(\d+)(%?)$/;

/** Whether a text is a {@link SampleSelection}: a share is 1 to 100 %, a number is not 0. */
export function isSampleSelection(text: string): text is SampleSelection {
  if (text === 'all') return true;
  const [, , number, percent] = PATTERN.exec(text) ?? [];
  return number !== undefined && Number(number) >= 1 && (percent === '' || Number(number) <= 100);
}

/**
 * The samples of a data set that a selection takes, as a data set. More samples than there are is all of them. Random
 * ones depend on the seed and the name of the data set, and stay the same.
 *
 * The published code understands whole percentages alone; it shuffles for `random` by a generator that nothing seeds.
 *
 * Source: `sampling_strategy` of LLaVA-OneVision's and LLaVA-OV-Manager's data files (LLaVA-VL/LLaVA-NeXT
 * `llava/train/train.py`, `LazySupervisedDataset`).
 *
 * @throws LoaderError if the selection is none
 */
export function selectSamples(
  dataset: Dataset,
  selection: SampleSelection,
  { seed = 0 }: { readonly seed?: number } = {},
): Dataset {
  if (!isSampleSelection(selection)) {
    throw new LoaderError({
      operation: `selectSamples (${dataset.name})`,
      expected: 'all, or first, end or random with a share or a number, such as first:30% or end:1000',
      received: JSON.stringify(selection),
      remedy: 'correct the selection',
      value: selection,
    });
  }
  const [, strategy, number, percent] = PATTERN.exec(selection) ?? [];
  if (strategy === undefined) return dataset;
  const total = dataset.size;
  const asked = percent === '%' ? Math.ceil((Number(number) * total) / 100) : Number(number);
  const size = Math.min(total, asked);
  const first = strategy === 'end' ? total - size : 0;
  const shuffled =
    strategy === 'random' ? permutation(total, fold(fold(randomKey(seed), 'selection'), dataset.name)) : undefined;
  const indexOf = (index: number) => (shuffled === undefined ? first + index : shuffled(index));
  return {
    name: dataset.name,
    size,
    get: (index, key) => dataset.get(indexOf(index), key),
    ...lengthsOf([dataset], ([lengths]) => Array.from({ length: size }, (_, index) => lengths![indexOf(index)]!)),
  };
}

/**
 * Data sets one behind the other as one, which an epoch goes through once. Sizes decide how often each is seen; see
 * `mixDatasets` for weights.
 *
 * @throws LoaderError if there is none
 */
export function joinDatasets(name: string, datasets: readonly Dataset[]): Dataset {
  if (datasets.length === 0) {
    throw new LoaderError({
      operation: `joinDatasets (${name})`,
      expected: 'at least one data set',
      received: 'none',
      remedy: 'pass the data sets to join',
      value: datasets,
    });
  }
  const ends: number[] = [];
  for (const { size } of datasets) ends.push((ends.at(-1) ?? 0) + size);
  return {
    name,
    size: ends.at(-1)!,
    get(index, key) {
      const place = ends.findIndex((end) => index < end);
      return datasets[place]!.get(index - (ends[place]! - datasets[place]!.size), key);
    },
    ...lengthsOf(datasets, (all) => all.flat()),
  };
}

/** A method for the lengths, where all of the data sets know theirs. */
function lengthsOf(
  datasets: readonly Dataset[],
  combine: (lengths: (readonly number[])[]) => readonly number[],
): Pick<Dataset, 'lengths'> {
  if (datasets.some((dataset) => dataset.lengths === undefined)) return {};
  return { lengths: () => combine(datasets.map((dataset) => dataset.lengths!())) };
}
