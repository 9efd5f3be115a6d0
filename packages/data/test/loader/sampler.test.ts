import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Dataset, mixDatasets } from '../../src/loader/dataset.js';
import { permutation } from '../../src/loader/permutation.js';
import { epochSampler, mixtureSampler, type Sampler, type SamplerOptions } from '../../src/loader/sampler.js';
import { randomKey } from '../../src/random.js';

function datasetOf(size: number, name = `set of ${size}`): Dataset {
  return { name, size, get: (index) => ({ id: `${name}/${index}`, images: [], turns: [] }) };
}

const OPTIONS: SamplerOptions = {
  batchSize: 4,
  seed: 3,
  shuffle: true,
  dropLast: true,
  shard: { index: 0, count: 1 },
};

function indices(sampler: Sampler, batches: readonly number[]): number[] {
  return batches.flatMap((number) => sampler.batch(number).map(({ index }) => index));
}

const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('the keys of samples', () => {
  const keysOf = (sampler: Sampler, batch: number) => sampler.batch(batch).map(({ index, key }) => ({ index, ...key }));

  it('are others each time a sample comes round, and the same for the same batch', () => {
    const dataset = datasetOf(8);
    const sampler = epochSampler(dataset, OPTIONS);
    const seen = [0, 1, 2, 3].flatMap((batch) => keysOf(sampler, batch));
    expect(new Set(seen.map(({ low, high }) => `${low}:${high}`)).size).toBe(16);
    expect(keysOf(epochSampler(dataset, OPTIONS), 3)).toEqual(keysOf(sampler, 3));
    const mixed = mixtureSampler(mixDatasets([dataset], 'uniform'), OPTIONS);
    expect(new Set([0, 1, 2].flatMap((batch) => keysOf(mixed, batch).map(({ low }) => low))).size).toBe(12);
    expect(keysOf(mixed, 2)).toEqual(keysOf(mixtureSampler(mixDatasets([dataset], 'uniform'), OPTIONS), 2));
  });

  it('belong to a sample of an epoch, not to its place', () => {
    const dataset = datasetOf(8);
    const shuffled = [0, 1].flatMap((batch) => keysOf(epochSampler(dataset, OPTIONS), batch));
    const ordered = [0, 1].flatMap((batch) => keysOf(epochSampler(dataset, { ...OPTIONS, shuffle: false }), batch));
    expect(shuffled.toSorted((a, b) => a.index - b.index)).toEqual(ordered);
  });
});

describe('permutation', () => {
  it('has every element once, whatever the size', () => {
    for (const size of [1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 4097]) {
      const at = permutation(size, randomKey(size));
      const elements = range(size).map(at);
      expect([...elements].sort((a, b) => a - b)).toEqual(range(size));
    }
  });

  it('depends on the key, and spreads neighbours', () => {
    const first = range(1000).map(permutation(1000, randomKey(1)));
    const second = range(1000).map(permutation(1000, randomKey(2)));
    expect(first.filter((value, index) => value === second[index]).length).toBeLessThan(10);
    const gaps = first.slice(1).map((value, index) => Math.abs(value - first[index]!));
    // Two independent uniform values are a third of the range apart on average.
    expect(gaps.reduce((a, b) => a + b) / gaps.length).toBeCloseTo(333, -2);
    expect(gaps.filter((gap) => gap === 1).length).toBeLessThan(15);
  });

  it('reaches every order of a few elements about equally often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = range(3)
        .map(permutation(3, randomKey(seed)))
        .join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Binomial with mean 1000 and deviation 29.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('works up to 2^32 elements', () => {
    const at = permutation(2 ** 32, randomKey(0));
    const values = range(200).map(at);
    expect(new Set(values).size).toBe(200);
    for (const value of values) expect(value >= 0 && value < 2 ** 32).toBe(true);
    expect(Math.max(...values)).toBeGreaterThan(2 ** 31);
  });
});

describe('epochSampler', () => {
  it('shuffles each epoch anew and leaves out the last batch that is not full', () => {
    const sampler = epochSampler(datasetOf(10), OPTIONS);
    expect(sampler.batchesPerEpoch).toBe(2);
    const first = indices(sampler, [0, 1]);
    const second = indices(sampler, [2, 3]);
    expect(new Set(first).size).toBe(8);
    expect(new Set(second).size).toBe(8);
    expect(second).not.toEqual(first);
    expect(indices(sampler, [0, 1])).toEqual(first);
    expect(indices(epochSampler(datasetOf(10), { ...OPTIONS, seed: 4 }), [0, 1])).not.toEqual(first);
  });

  it('keeps the last batch and the order where it is asked to', () => {
    const sampler = epochSampler(datasetOf(10), { ...OPTIONS, shuffle: false, dropLast: false });
    expect(sampler.batchesPerEpoch).toBe(3);
    expect([0, 1, 2, 3].map((number) => indices(sampler, [number]))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
      [0, 1, 2, 3],
    ]);
  });

  it('gives the processes of a group different samples', () => {
    const shards = range(3).map((index) => epochSampler(datasetOf(26), { ...OPTIONS, shard: { index, count: 3 } }));
    expect(shards.map(({ batchesPerEpoch }) => batchesPerEpoch)).toEqual([2, 2, 2]);
    const seen = shards.flatMap((sampler) => indices(sampler, [0, 1]));
    expect(new Set(seen).size).toBe(24);
    const single = epochSampler(datasetOf(26), { ...OPTIONS, batchSize: 12 });
    expect(indices(single, [1])).toEqual(shards.flatMap((sampler) => indices(sampler, [1])));
  });

  it('refuses a data set that has no full batch', () => {
    expect(() => epochSampler(datasetOf(3), OPTIONS)).toThrow(/at least 4 samples in set of 3.*received 3/);
    expect(() => epochSampler(datasetOf(0), { ...OPTIONS, dropLast: false })).toThrow(/received 0/);
  });
});

describe('mixtures', () => {
  it('normalise weights like the reference', () => {
    interface Case {
      readonly sizes: number[];
      readonly sampling_weights: 'uniform' | 'length_ratio' | number[];
      readonly probabilities: number[];
    }
    const url = new URL('../fixtures/honeybee/schedule_and_mixing.json', import.meta.url);
    const { mixing } = JSON.parse(readFileSync(url, 'utf8')) as { mixing: Case[] };
    expect(mixing).toHaveLength(3);
    for (const { sizes, sampling_weights, probabilities } of mixing) {
      const mixture = mixDatasets(
        sizes.map((size) => datasetOf(size)),
        sampling_weights,
      );
      for (const [index, probability] of mixture.probabilities.entries()) {
        expect(probability).toBeCloseTo(probabilities[index]!, 12);
      }
    }
  });

  it('draw data sets by weight and samples uniformly, with replacement', () => {
    const small = datasetOf(5, 'small');
    const mixture = mixDatasets([small, datasetOf(1000, 'never'), datasetOf(50, 'large')], [1, 0, 3]);
    const sampler = mixtureSampler(mixture, OPTIONS);
    expect(sampler.batchesPerEpoch).toBeUndefined();
    const draws = range(2000).flatMap((number) => [...sampler.batch(number)]);
    const fromSmall = draws.filter(({ dataset }) => dataset === small);
    expect(draws.some(({ dataset }) => dataset.name === 'never')).toBe(false);
    // Binomial: 8000 draws at 1/4 have a deviation of 39; 2000 draws at 1/5 one of 18.
    expect(Math.abs(fromSmall.length - 2000)).toBeLessThan(160);
    for (const index of range(5)) {
      const count = fromSmall.filter((draw) => draw.index === index).length;
      expect(Math.abs(count - fromSmall.length / 5)).toBeLessThan(90);
    }
  });

  it('depend on the seed and the number of the batch alone', () => {
    const mixture = mixDatasets([datasetOf(100, 'a'), datasetOf(100, 'b')], 'uniform');
    const name = ({ dataset, index }: { dataset: Dataset; index: number }) => `${dataset.name}${index}`;
    const at = (number: number, change: Partial<SamplerOptions> = {}) =>
      mixtureSampler(mixture, { ...OPTIONS, ...change })
        .batch(number)
        .map(name);
    const sampler = mixtureSampler(mixture, OPTIONS);
    for (const number of [7, 2, 7, 0]) expect(sampler.batch(number).map(name)).toEqual(at(number));
    expect(at(7, { seed: 4 })).not.toEqual(at(7));
    expect(at(7, { shard: { index: 1, count: 2 } })).not.toEqual(at(7, { shard: { index: 0, count: 2 } }));
  });

  it('refuse weights that do not fit', () => {
    const two = [datasetOf(5), datasetOf(6)];
    expect(() => mixDatasets(two, [1])).toThrow(/2 non-negative weights.*received \[1\]/);
    expect(() => mixDatasets(two, [1, -1])).toThrow(/non-negative/);
    expect(() => mixDatasets(two, [0, 0])).toThrow(/not all zero/);
    expect(() => mixDatasets(two, 'unifrom' as never)).toThrow(/received "unifrom"/);
    expect(() => mixDatasets([datasetOf(0)], 'uniform')).toThrow(/set of 0 to hold samples, received 0/);
    expect(() => mixDatasets([], 'uniform')).toThrow(/at least one data set/);
  });
});
