import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '../../src/collate/batch.js';
import type { Conversation } from '../../src/conversation/conversation.js';
import { imageProcessor } from '../../src/image/image-processor.js';
import { conversationDataset, type Dataset, type Mixture, mixDatasets } from '../../src/loader/dataset.js';
import { createLoader, type Loader } from '../../src/loader/loader.js';
import type { LoaderOptions } from '../../src/loader/loader-options.js';
import { type ImageFolder, imageFolder, OPTIONS, question } from './images.js';

let folder: ImageFolder;
let conversations: Conversation[];

beforeAll(async () => {
  folder = await imageFolder();
  conversations = [];
  for (let index = 0; index < 7; index++) {
    conversations.push(question(`kite ${index}`, await folder.add(10 * (index + 1))));
  }
});
afterAll(() => folder.remove());

const open: Loader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
});

function loaderOf(source: Dataset | Mixture, change: Partial<LoaderOptions> = {}): Loader {
  const loader = createLoader(source, { ...OPTIONS, ...change });
  open.push(loader);
  return loader;
}

async function take(loader: Loader, count: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  if (count === 0) return batches;
  for await (const batch of loader) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

const kites = () => conversationDataset('kites', conversations);
const ids = (batches: readonly Batch[]) => batches.map(({ sampleIds }) => sampleIds);

describe('createLoader', () => {
  it('gives every sample its own pixels and text', async () => {
    const [first, second, ...rest] = await take(loaderOf(kites(), { shuffle: false, epochs: 1 }), 3);
    expect(ids([first!, second!, ...rest])).toEqual([
      ['kite 0', 'kite 1'],
      ['kite 2', 'kite 3'],
      ['kite 4', 'kite 5'],
    ]);
    expect(second!.shape).toEqual({ batch: 2, length: 256, images: 2, height: 4, width: 4, visualTokensPerImage: 3 });
    expect(second!.pixelValues).toEqual(new Float32Array(96).fill(30, 0, 48).fill(40, 48));
    const trained = [...second!.labels.slice(0, 256)].filter((label) => label !== -100);
    expect(OPTIONS.tokenizer).toHaveProperty('decode');
    const { decode } = OPTIONS.tokenizer as unknown as { decode(ids: number[]): string };
    expect(decode(trained)).toBe(' It is kite 2.</s>');
    expect(second!.plan.filter((row) => row >= 512)).toEqual(Int32Array.of(512, 513, 514, 515, 516, 517));
  });

  it('depends on the seed alone, not on workers, prefetching or the cache', async () => {
    const reference = await take(loaderOf(kites()), 6);
    expect(new Set(ids(reference.slice(0, 3)).flat()).size).toBe(6);
    expect(await take(loaderOf(kites(), { workers: 2, prefetch: 5, cacheBytes: 0 }), 6)).toEqual(reference);
    expect(ids(await take(loaderOf(kites(), { seed: 12 }), 6))).not.toEqual(ids(reference));
  });

  it('renders a sample with the template that it carries', async () => {
    const caption = { ...conversations[0]!, template: 'plain' as const };
    const dataset = conversationDataset('mixed', [caption, conversations[0]!]);
    const [batch] = await take(loaderOf(dataset, { shuffle: false, epochs: 1 }), 1);
    const { decode } = OPTIONS.tokenizer as unknown as { decode(ids: number[]): string };
    const { length } = batch!.shape;
    const text = (row: number) => decode([...batch!.inputIds.slice(row * length, row * length + batch!.lengths[row]!)]);
    expect(text(0)).toBe('<s><pad><pad><pad>It is kite 0.</s>');
    expect(text(1)).toMatch(/ASSISTANT: It is kite 0\.<\/s>$/);
  });

  it('gives data sets that draw a key', async () => {
    const keys: object[] = [];
    const dataset: Dataset = {
      name: 'drawn',
      size: 2,
      get: (index, key) => {
        keys.push({ index, ...key });
        return conversations[index]!;
      },
    };
    await take(loaderOf(dataset, { epochs: 2 }), 2);
    expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(4);
  });

  it('ends after its epochs, with the last batch where it is asked for', async () => {
    const loader = loaderOf(kites(), { epochs: 2, dropLast: false });
    expect([loader.batchesPerEpoch, loader.totalBatches]).toEqual([4, 8]);
    const batches = await take(loader, 100);
    expect(batches.map(({ shape }) => shape.batch)).toEqual([2, 2, 2, 1, 2, 2, 2, 1]);
    expect(new Set(ids(batches.slice(4)).flat()).size).toBe(7);
    await expect(take(loader, 1)).rejects.toThrow(/received one that is closed/);
  });

  it('goes on where a loop was left', async () => {
    const reference = await take(loaderOf(kites()), 5);
    const loader = loaderOf(kites());
    const parts = [...(await take(loader, 2)), ...(await take(loader, 1)), ...(await take(loader, 2))];
    expect(parts).toEqual(reference);
  });

  it('makes batches of texts, and blank images beside them', async () => {
    const texts = conversationDataset('texts', [question('a'), question('b')]);
    const [batch] = await take(loaderOf(texts), 1);
    expect(batch!.shape).toMatchObject({ batch: 2, images: 0 });
    const [blank] = await take(loaderOf(texts, { imagesPerBatch: 2 }), 1);
    expect(blank!.shape).toMatchObject({ images: 2, height: 4, width: 4 });
    expect(blank!.pixelValues).toEqual(new Float32Array(96));
    const mixed = conversationDataset('mixed', [question('a'), conversations[4]!]);
    const [both] = await take(loaderOf(mixed, { shuffle: false, imagesPerBatch: 2 }), 1);
    expect(both!.pixelValues).toEqual(new Float32Array(96).fill(50, 0, 48));
  });

  it('mixes data sets', async () => {
    const texts = conversationDataset('texts', [question('text')]);
    const mixture = mixDatasets([kites(), texts], [1, 1]);
    const loader = loaderOf(mixture, { imagesPerBatch: 2 });
    expect([loader.batchesPerEpoch, loader.totalBatches]).toEqual([undefined, Number.POSITIVE_INFINITY]);
    const batches = await take(loader, 12);
    const texted = ids(batches)
      .flat()
      .filter((id) => id === 'text').length;
    expect(texted).toBeGreaterThan(5);
    expect(texted).toBeLessThan(19);
    expect(await take(loaderOf(mixture, { imagesPerBatch: 2 }), 12)).toEqual(batches);
    expect(() => loaderOf(mixture, { epochs: 1 })).toThrow(/no epochs for a mixture/);
  });

  it('renders prompts for generation, padded on the left', async () => {
    const loader = loaderOf(kites(), { purpose: 'generation', shuffle: false, epochs: 1, dropLast: false });
    const batches = await take(loader, 10);
    expect(ids(batches).flat()).toEqual(conversations.map(({ id }) => id));
    const { labels, attentionMask, inputIds, shape } = batches[0]!;
    expect(labels.every((label) => label === -100)).toBe(true);
    expect([attentionMask[0], attentionMask[shape.length - 1]]).toEqual([0, 1]);
    const { decode } = OPTIONS.tokenizer as unknown as { decode(ids: Int32Array): string };
    expect(decode(inputIds.slice(0, shape.length))).toMatch(/What is kite 0\? ASSISTANT:$/);
  });
});

describe('state and resume', () => {
  const sources: readonly (readonly [string, () => Dataset | Mixture])[] = [
    ['a shuffled data set', kites],
    ['a mixture', () => mixDatasets([kites(), conversationDataset('half', conversations.slice(3))], [1, 2])],
  ];
  for (const [what, source] of sources) {
    it(`gives exactly the batches that would have followed, for ${what}`, async () => {
      const reference = await take(loaderOf(source()), 8);
      for (const count of [0, 1, 3, 5]) {
        const first = loaderOf(source());
        await take(first, count);
        const state = JSON.parse(JSON.stringify(first.state()));
        const resumed = loaderOf(source(), { workers: 2, prefetch: 1 });
        resumed.resume(state);
        expect(await take(resumed, 8 - count)).toEqual(reference.slice(count));
      }
    });
  }

  it('counts epochs and the batches that were handed out, not those made ahead', async () => {
    const loader = loaderOf(kites(), { prefetch: 4 });
    expect(loader.state()).toMatchObject({ epoch: 0, position: 0, seed: 11 });
    let seen = 0;
    for await (const _ of loader) {
      seen++;
      expect(loader.state()).toMatchObject({ epoch: Math.floor(seen / 3), position: seen % 3 });
      if (seen === 4) break;
    }
  });

  it('refuses a state of other data, options or shape', async () => {
    const state = loaderOf(kites()).state();
    const refuse = (change: Partial<LoaderOptions>, value: object = state, source: Dataset = kites()) =>
      expect(() => loaderOf(source, change).resume(value as typeof state));
    refuse({ seed: 12 }).toThrow(/"seed":12.*received.*"seed":11/);
    refuse({ batchSize: 3 }).toThrow(/"batchSize":3/);
    refuse({}, state, conversationDataset('kites', conversations.slice(1))).toThrow(/"size":6/);
    refuse({}, { ...state, position: 3 }).toThrow(/position below 3, received 3/);
    refuse({}, { ...state, epoch: -1 }).toThrow(/epoch/);
    refuse({}, {}).toThrow(/a state that Loader.state returned/);
    const busy = loaderOf(kites());
    for await (const _ of busy) {
      expect(() => busy.resume(state)).toThrow(/being iterated/);
      await expect(take(busy, 1)).rejects.toThrow(/being iterated already/);
      break;
    }
    busy.resume(state);
  });
});

describe('errors', () => {
  it('name the file and the sample of an image that is damaged, after the batches before it', async () => {
    const file = join(folder.path, 'damaged.png');
    await writeFile(file, 'these are no pixels');
    const samples = conversations.map((sample, index) => (index === 5 ? question('damaged', file) : sample));
    const loader = loaderOf(conversationDataset('kites', samples), { shuffle: false, prefetch: 5 });
    const seen: Batch[] = [];
    const reading = (async () => {
      for await (const batch of loader) seen.push(batch);
    })();
    await expect(reading).rejects.toMatchObject({
      name: 'LoaderError',
      file,
      sampleId: 'damaged',
      message: expect.stringMatching(/damaged\.png/),
    });
    expect(ids(seen)).toEqual([
      ['kite 0', 'kite 1'],
      ['kite 2', 'kite 3'],
    ]);
    expect(loader.state()).toMatchObject({ epoch: 0, position: 2 });
  });

  it('are not thrown where black images are asked for: each is told, and the others stay as they are', async () => {
    const damaged = join(folder.path, 'damaged-too.png');
    await writeFile(damaged, 'no image');
    const missing = join(folder.path, 'missing-too.png');
    const source = conversationDataset('kites', [question('a', damaged), conversations[0]!, question('b', missing)]);
    const told: unknown[] = [];
    const loader = loaderOf(source, {
      imageProcessor: imageProcessor({ resize: { width: 4, height: 4 }, rescaleFactor: null, mean: [5, 5, 5] }),
      batchSize: 3,
      shuffle: false,
      epochs: 1,
      brokenImages: 'black',
      onBrokenImage: (error) => told.push([error.sampleId, error.file]),
    });
    const [batch] = await take(loader, 1);
    expect(batch!.pixelValues).toEqual(new Float32Array(144).fill(-5).fill(5, 48, 96));
    expect(told.sort()).toEqual([
      ['a', damaged],
      ['b', missing],
    ]);
  });

  it('name the file that does not exist', async () => {
    const missing = question('missing', join(folder.path, 'missing.png'));
    const loader = loaderOf(conversationDataset('one', [missing, missing]));
    await expect(take(loader, 1)).rejects.toMatchObject({ sampleId: 'missing', file: missing.images[0] });
  });

  it('name the sample that cannot be rendered, trained or read', async () => {
    const broken = { ...conversations[0]!, id: 'broken', images: [] };
    await expect(take(loaderOf(conversationDataset('one', [broken, broken])), 1)).rejects.toMatchObject({
      name: 'ConversationError',
      sampleId: 'broken',
    });
    await expect(take(loaderOf(kites(), { maximumLength: 40 }), 1)).rejects.toMatchObject({
      name: 'CollationError',
      message: expect.stringMatching(/at least one token to train/),
    });
    await expect(take(loaderOf(kites(), { maximumLength: 40, purpose: 'generation' }), 1)).rejects.toThrow(
      /at most 40 tokens/,
    );
    const failing: Dataset = { name: 'remote', size: 4, get: () => Promise.reject(new Error('connection lost')) };
    await expect(take(loaderOf(failing, { shuffle: false }), 1)).rejects.toThrow(
      /expected sample 0 of remote, received connection lost/,
    );
  });

  it('name the option that is wrong', () => {
    expect(() => loaderOf(kites(), { batchSize: 0 })).toThrow(/batchSize/);
    expect(() => loaderOf(kites(), { batch: 4 } as never)).toThrow(/"batch"/);
    expect(() => loaderOf(kites(), { template: 'vicuna' as never })).toThrow(/one of honeybee_default/);
    expect(() => loaderOf(kites(), { buckets: [8, 4] })).toThrow(/increasing order/);
    expect(() => loaderOf(kites(), { shard: { index: 1, count: 1 } })).toThrow(/shard index below its count/);
    expect(() => loaderOf(kites(), { batchSize: 8 })).toThrow(/at least 8 samples in kites.*received 7/);
  });
});

describe('ending', () => {
  it('aborts with the reason of the signal, also in the middle of a wait', async () => {
    const controller = new AbortController();
    const slow: Dataset = { name: 'slow', size: 4, get: () => new Promise(() => undefined) };
    // Asserted from the start: it may be rejected while the other loader still ends its workers.
    const waiting = expect(take(loaderOf(slow, { signal: controller.signal }), 1)).rejects.toThrow('user left');
    const loader = loaderOf(kites(), { signal: controller.signal });
    const consuming = (async () => {
      for await (const _ of loader) controller.abort(new Error('user left'));
    })();
    await expect(consuming).rejects.toThrow('user left');
    await waiting;
    await expect(take(loader, 1)).rejects.toThrow('user left');
  });

  it('ends an iteration without an error when it is closed', async () => {
    const loader = loaderOf(kites());
    let seen = 0;
    for await (const _ of loader) {
      seen++;
      if (seen === 2) await loader.close();
    }
    expect(seen).toBe(2);
    await loader.close();
    const slow: Dataset = { name: 'slow', size: 4, get: () => new Promise(() => undefined) };
    const waiting = loaderOf(slow);
    const result = take(waiting, 1);
    await waiting.close();
    expect(await result).toEqual([]);
  });
});
