import { describe, expect, it } from 'vitest';
import { conversationDataset, type Dataset, modalityLength } from '../../src/loader/dataset.js';
import { groupByLength } from '../../src/loader/group-by-length.js';
import { createLoader } from '../../src/loader/loader.js';
import { epochSampler, type SamplerOptions } from '../../src/loader/sampler.js';
import { OPTIONS as LOADER_OPTIONS, question } from './images.js';

const identity = (size: number) => Array.from({ length: size }, (_, index) => index);
const OPTIONS: SamplerOptions = {
  batchSize: 2,
  seed: 5,
  shuffle: true,
  dropLast: true,
  shard: { index: 0, count: 2 },
  groupByLength: { accumulation: 2 },
};

/** 40 samples of which every third has no image. */
const lengths = identity(40).map((index) => (index % 3 === 0 ? -1 : 1) * (1 + ((index * 17) % 23)));
const dataset: Dataset = {
  name: 'mixed',
  size: 40,
  get: (index) => ({ id: String(index), images: [], turns: [] }),
  lengths: () => lengths,
};
const indicesOf = (options: SamplerOptions, batch: number) =>
  epochSampler(dataset, options)
    .batch(batch)
    .map(({ index }) => index);

describe('groupByLength', () => {
  it('deals the samples of a step out to micro-batches of about the same sum', () => {
    const order = groupByLength([9, 1, 8, 2, 5, 5, 4, 6], { batchSize: 2, batchesPerStep: 4, permute: identity });
    const sums = [0, 2, 4, 6].map(
      (start) => [9, 1, 8, 2, 5, 5, 4, 6][order[start]!]! + [9, 1, 8, 2, 5, 5, 4, 6][order[start + 1]!]!,
    );
    expect(sums).toEqual([10, 10, 10, 10]);
    expect(order).toEqual([0, 1, 2, 3, 7, 6, 4, 5]);
  });

  it('joins the last step of each kind at the end', () => {
    const order = groupByLength([3, -3, 2, -2, 1, 5, -1, 4], { batchSize: 1, batchesPerStep: 2, permute: identity });
    // With images 0, 2, 4, 5, 7, without 1, 3, 6: steps [0, 2], [5, 4], and [7] and [6] are the last ones.
    expect(order).toEqual([0, 2, 5, 4, 1, 3, 6, 7]);
  });

  it('permutes each kind and the steps by their own draws', () => {
    const draws: [number, string][] = [];
    const permute = (size: number, draw: string) => {
      draws.push([size, draw]);
      return identity(size).reverse();
    };
    const order = groupByLength([1, 2, 3, 4, 5, -1], { batchSize: 1, batchesPerStep: 2, permute });
    expect(draws).toEqual([
      [5, 'withImages'],
      [1, 'textOnly'],
      [2, 'steps'],
    ]);
    expect(order).toEqual([2, 1, 4, 3, 0, 5]);
  });

  it('refuses lengths that tell no kind', () => {
    const attempt = (wrong: number) => () =>
      groupByLength([1, wrong], { batchSize: 1, batchesPerStep: 1, permute: identity });
    expect(attempt(0)).toThrow(/0 of sample 1/);
    expect(attempt(1.5)).toThrow(/1\.5 of sample 1/);
  });
});

describe('a sampler that groups by length', () => {
  it('makes every step of all processes of one kind, except the last', () => {
    // A step is 2 samples × 2 processes × 2 micro-batches: batches 2k and 2k + 1 of both processes.
    const steps = identity(5).map((step) =>
      [0, 1].flatMap((index) =>
        [0, 1].flatMap((micro) => indicesOf({ ...OPTIONS, shard: { index, count: 2 } }, step * 2 + micro)),
      ),
    );
    expect(steps.flat().toSorted((a, b) => a - b)).toEqual(identity(40));
    for (const step of steps.slice(0, 3)) {
      expect(new Set(step.map((index) => Math.sign(lengths[index]!))).size).toBe(1);
    }
  });

  it('has another order each epoch, that depends on the seed alone', () => {
    const epoch = (number: number, change: Partial<SamplerOptions> = {}) =>
      identity(10).flatMap((batch) => indicesOf({ ...OPTIONS, ...change }, number * 10 + batch));
    expect(epoch(0)).toEqual(epoch(0));
    expect(epoch(1)).not.toEqual(epoch(0));
    expect(epoch(0, { seed: 6 })).not.toEqual(epoch(0));
    expect(epoch(1, { shuffle: false })).toEqual(epoch(0, { shuffle: false }));
  });

  it('needs a data set that knows its lengths', () => {
    const { lengths: _, ...silent } = dataset;
    expect(() => epochSampler(silent, OPTIONS)).toThrow(/lengths of the 40 samples of mixed/);
    expect(() => epochSampler({ ...silent, lengths: () => [1] }, OPTIONS)).toThrow(/received 1/);
    const mixture = { datasets: [dataset], probabilities: [1] };
    expect(() => createLoader(mixture, { ...LOADER_OPTIONS, groupByLength: true })).toThrow(/no groupByLength/);
  });

  it('is part of what a loader can be resumed with', async () => {
    const source = conversationDataset('questions', [question('a'), question('b c'), question('d e f'), question('g')]);
    const grouped = createLoader(source, { ...LOADER_OPTIONS, groupByLength: true });
    const plain = createLoader(source, LOADER_OPTIONS);
    expect(grouped.state().order).toMatchObject({ batchesPerStep: 1 });
    expect(() => plain.resume(grouped.state())).toThrow(/batchesPerStep/);
    grouped.resume(grouped.state());
    await Promise.all([grouped.close(), plain.close()]);
  });
});

describe('modalityLength', () => {
  it('counts the words of both sides, and tells texts by the sign', () => {
    expect(modalityLength(question('kite 1', 'kite.png'))).toBe(1 + 4 + 4);
    expect(modalityLength(question('kite 1'))).toBe(-8);
    const { turns, ...rest } = question('kite 1');
    expect(modalityLength({ ...rest, turns: [{ role: 'system', text: 'Be brief.' }, ...turns] })).toBe(-8);
  });
});
