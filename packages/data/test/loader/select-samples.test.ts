import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/conversation/conversation.js';
import { conversationDataset, type Dataset } from '../../src/loader/dataset.js';
import { LoaderError } from '../../src/loader/loader-error.js';
import { epochSampler } from '../../src/loader/sampler.js';
import {
  isSampleSelection,
  joinDatasets,
  type SampleSelection,
  selectSamples,
} from '../../src/loader/select-samples.js';
import { randomKey } from '../../src/random.js';

const key = randomKey(0);

/** Samples of one word more each, the first with one; every third is text alone. */
function datasetOf(size: number, name = 'set'): Dataset {
  const conversations = Array.from(
    { length: size },
    (_, index): Conversation => ({
      id: `${name}${index}`,
      images: index % 3 === 2 ? [] : ['a.png'],
      turns: [{ role: 'user', text: 'word '.repeat(index + 1) }],
    }),
  );
  return conversationDataset(name, conversations);
}

async function ids(dataset: Dataset): Promise<string[]> {
  const all = Array.from({ length: dataset.size }, async (_, index) => (await dataset.get(index, key)).id);
  return Promise.all(all);
}

describe('selectSamples', () => {
  it.each<[SampleSelection, string[]]>([
    ['all', ['set0', 'set1', 'set2', 'set3', 'set4', 'set5', 'set6']],
    ['first:30%', ['set0', 'set1', 'set2']],
    ['first:2', ['set0', 'set1']],
    ['end:1%', ['set6']],
    ['end:3', ['set4', 'set5', 'set6']],
    ['first:100%', ['set0', 'set1', 'set2', 'set3', 'set4', 'set5', 'set6']],
    ['end:70', ['set0', 'set1', 'set2', 'set3', 'set4', 'set5', 'set6']],
  ])('takes %s of seven samples, a share rounded up', async (selection, expected) => {
    expect(await ids(selectSamples(datasetOf(7), selection))).toEqual(expected);
  });

  it('takes different random samples under different seeds, and the same ones under one', async () => {
    const taken = await ids(selectSamples(datasetOf(100), 'random:20%', { seed: 1 }));
    expect(new Set(taken).size).toBe(20);
    expect(await ids(selectSamples(datasetOf(100), 'random:20%', { seed: 1 }))).toEqual(taken);
    expect(await ids(selectSamples(datasetOf(100), 'random:20%', { seed: 2 }))).not.toEqual(taken);
    expect(taken).not.toEqual(await ids(selectSamples(datasetOf(100), 'first:20%')));
  });

  it('knows the lengths of the samples that it takes, where the data set does', async () => {
    const selected = selectSamples(datasetOf(9), 'random:4');
    const expected = (await ids(selected)).map((id) => {
      const index = Number(id.slice(3));
      return index % 3 === 2 ? -(index + 1) : index + 1;
    });
    expect(selected.lengths!()).toEqual(expected);
    const { lengths: _, ...without } = datasetOf(9);
    expect(selectSamples(without, 'end:4').lengths).toBeUndefined();
  });

  it.each(['first', 'first:0', 'first:0%', 'end:101%', 'last:3', 'first:1.5%', 'random:-2', 'first: 3'])(
    'refuses %j',
    (selection) => {
      expect(isSampleSelection(selection)).toBe(false);
      expect(() => selectSamples(datasetOf(3), selection as SampleSelection)).toThrow(LoaderError);
    },
  );
});

describe('joinDatasets', () => {
  it('goes through all of them, the empty ones too, in their order', async () => {
    const joined = joinDatasets('all', [datasetOf(0, 'a'), datasetOf(2, 'b'), datasetOf(0, 'c'), datasetOf(3, 'd')]);
    expect(joined.size).toBe(5);
    expect(await ids(joined)).toEqual(['b0', 'b1', 'd0', 'd1', 'd2']);
    expect(joined.lengths!()).toEqual([1, 2, 1, 2, -3]);
  });

  it('can be grouped by length, so that each batch is all images or all text', () => {
    const joined = joinDatasets('all', [datasetOf(30, 'a'), datasetOf(30, 'b')]);
    const lengths = joined.lengths!();
    const options = { batchSize: 4, seed: 1, shuffle: true, dropLast: true, shard: { index: 0, count: 1 } };
    const sampler = epochSampler(joined, { ...options, groupByLength: true });
    // 40 with images and 20 without: the last batch of each kind is set aside and joined at the end.
    for (let number = 0; number < 13; number++) {
      const signs = sampler.batch(number).map(({ index }) => Math.sign(lengths[index]!));
      expect(new Set(signs).size, `batch ${number}`).toBe(1);
    }
  });

  it('needs one data set, and knows no lengths where one of them does not', () => {
    expect(() => joinDatasets('none', [])).toThrow(LoaderError);
    const { lengths: _, ...without } = datasetOf(2);
    expect(joinDatasets('some', [datasetOf(2), without]).lengths).toBeUndefined();
  });
});
