import { fold, type RandomKey, randomKey, randomSource } from '../random.js';
import type { Dataset, Mixture } from './dataset.js';
import { groupByLength } from './group-by-length.js';
import { LoaderError } from './loader-error.js';
import { permutation } from './permutation.js';

/** Which sample of which data set. */
export interface SampleReference {
  readonly dataset: Dataset;
  readonly index: number;
  /** For what the data set draws; another one each time that the sample comes round. */
  readonly key: RandomKey;
}

/** The order of samples, batch by batch. Any batch can be asked for, in any order, and is always the same. */
export interface Sampler {
  readonly datasets: readonly Dataset[];
  /** Undefined where there are no epochs. */
  readonly batchesPerEpoch: number | undefined;
  /** Batches of all processes that make one optimiser step, where samples are grouped by length. */
  readonly batchesPerStep?: number;
  /** The samples of a batch, counted from the beginning of the first epoch. */
  batch(number: number): readonly SampleReference[];
}

export interface SamplerOptions {
  readonly batchSize: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly shard: { readonly index: number; readonly count: number };
  /** Default false. */
  readonly groupByLength?: boolean | { readonly accumulation: number };
}

/** Every sample once an epoch: in order, or shuffled anew for each epoch, or grouped by length. */
export function epochSampler(dataset: Dataset, options: SamplerOptions): Sampler {
  const { batchSize, seed, shuffle, dropLast, shard, groupByLength: grouping = false } = options;
  const { size } = dataset;
  const perRound = batchSize * shard.count;
  const batchesPerEpoch = dropLast ? Math.floor(size / perRound) : Math.ceil(size / perRound);
  if (batchesPerEpoch === 0) {
    throw new LoaderError({
      operation: 'createLoader',
      expected: `at least ${perRound} samples in ${dataset.name}, a batch of each process`,
      received: String(size),
      remedy: 'add samples, or lower batchSize',
      value: size,
    });
  }
  const key = fold(randomKey(seed), 'epoch');
  const drawKey = fold(randomKey(seed), 'draws');
  const batchesPerStep = grouping === false ? undefined : shard.count * (grouping === true ? 1 : grouping.accumulation);
  const lengths = batchesPerStep === undefined ? undefined : lengthsOf(dataset);
  const orderOf = (epoch: number): ((position: number) => number) => {
    const epochKey = fold(key, epoch);
    if (lengths === undefined || batchesPerStep === undefined) {
      return shuffle ? permutation(size, epochKey) : (position) => position;
    }
    const permute = (count: number, draw: string): number[] => {
      const identity = Array.from({ length: count }, (_, index) => index);
      return shuffle ? randomSource(fold(epochKey, draw)).shuffle(identity) : identity;
    };
    const grouped = Int32Array.from(groupByLength(lengths, { batchSize, batchesPerStep, permute }));
    return (position) => grouped[position]!;
  };
  let orderedEpoch = -1;
  let order: (position: number) => number;

  return {
    datasets: [dataset],
    batchesPerEpoch,
    ...(batchesPerStep === undefined ? {} : { batchesPerStep }),
    batch: (number) => {
      const epoch = Math.floor(number / batchesPerEpoch);
      if (epoch !== orderedEpoch) {
        order = orderOf(epoch);
        orderedEpoch = epoch;
      }
      const start = ((number % batchesPerEpoch) * shard.count + shard.index) * batchSize;
      const length = Math.min(batchSize, size - start);
      return Array.from({ length }, (_, offset) => {
        const index = order(start + offset);
        return { dataset, index, key: fold(fold(drawKey, epoch), index) };
      });
    },
  };
}

function lengthsOf(dataset: Dataset): readonly number[] {
  const lengths = dataset.lengths?.();
  if (lengths?.length === dataset.size) return lengths;
  throw new LoaderError({
    operation: 'createLoader',
    expected: `the lengths of the ${dataset.size} samples of ${dataset.name}, to group them`,
    received: lengths === undefined ? 'a data set without lengths()' : String(lengths.length),
    remedy: 'give the data set a lengths method, or leave groupByLength out',
    value: dataset.name,
  });
}

/** Every sample drawn independently: its data set by probability, then its index uniformly. */
export function mixtureSampler({ datasets, probabilities }: Mixture, options: SamplerOptions): Sampler {
  const { batchSize, seed, shard } = options;
  const key = fold(randomKey(seed), 'mixture');
  let sum = 0;
  const bounds = probabilities.map((probability) => {
    sum += probability;
    return sum;
  });
  // Rounding may leave the last bound short of 1; it goes to the last data set that can be drawn at all.
  const last = probabilities.findLastIndex((probability) => probability > 0);

  return {
    datasets,
    batchesPerEpoch: undefined,
    batch: (number) =>
      Array.from({ length: batchSize }, (_, offset) => {
        const sampleKey = fold(key, (number * shard.count + shard.index) * batchSize + offset);
        const random = randomSource(sampleKey);
        const value = random.float();
        const found = bounds.findIndex((bound) => value < bound);
        const dataset = datasets[found === -1 ? last : found]!;
        return { dataset, index: random.integer(dataset.size), key: fold(sampleKey, 'draws') };
      }),
  };
}
