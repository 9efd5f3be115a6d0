import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import type { BatchRequest } from '@ocelli/trainer';
import { loadModel, VisionLanguageModel } from '@ocelli/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingConfig } from '../../src/train/config.js';
import { prepareTraining } from '../../src/train/prepare.js';
import { generateWorld, ocelli, readJson, temporaryFolder, tinyConfig, writeConfig } from './tiny-run.js';

const [captions, questions] = tinyConfig.stages;

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await generateWorld(folder);
  const texts = Array.from({ length: 12 }, (_, index) => ({
    id: `text-${index}`,
    conversations: [
      { from: 'human', value: `How many words? ${'word '.repeat(index)}` },
      { from: 'gpt', value: 'some' },
    ],
  }));
  await writeFile(join(folder, 'texts.json'), JSON.stringify(texts));
});
afterAll(() => closeEngine());

const data = { ...tinyConfig.data, texts: { file: 'texts.json' } };

async function train(name: string, config: object): Promise<string> {
  const run = join(folder, name);
  const file = await writeConfig(folder, { ...tinyConfig, data, ...config }, `${name}.yaml`);
  expect(await ocelli('train', file, '--out', run)).toMatchObject({ code: 0, errors: '' });
  return run;
}

/** Names of the samples of the first batches of the last stage. */
async function samplesOf(name: string, stage: object, batches: number): Promise<readonly string[][]> {
  const file = await writeConfig(folder, { ...tinyConfig, data, stages: [{ ...captions, ...stage }] }, `${name}.yaml`);
  const training = await prepareTraining(file);
  const own = { ...training.config.stages[0]!, name: 'captions' } as unknown as BatchRequest['stage'];
  const source = training.batches({ stage: own, state: undefined });
  const taken: string[][] = [];
  try {
    for await (const { sampleIds } of source) {
      taken.push([...sampleIds!]);
      if (taken.length === batches) break;
    }
  } finally {
    await source.close?.();
  }
  return taken;
}

describe('ocelli train over images cut into tiles', () => {
  it('trains and evaluates with the grid of each stage, and can be trained again from what it resolved', async () => {
    const tower = { ...tinyConfig.vision.config, imageSize: 16, patchSize: 8 };
    const run = await train('grid', {
      vision: { config: tower },
      grid: { candidates: '(1x1),...,(2x2)', maximumTiles: 4 },
      stages: [
        { ...captions, steps: 1, grid: null },
        { ...questions, steps: 2, trainable: ['projector', 'imageNewline'] },
      ],
    });
    const resolved = await readJson<TrainingConfig>(join(run, 'config.json'));
    expect(resolved.imageNewline).toBe(true);
    expect(resolved.grid).toMatchObject({ tile: 16, maximumTiles: 4 });
    expect(resolved.stages.map(({ grid }) => grid)).toMatchObject([
      null,
      { tile: 16, maximumTiles: 4, severalImages: 'square' },
    ]);
    const model = await loadModel(join(run, 'model'), { kind: 'vision-language' });
    expect(model.imageNewline!.shape).toEqual([16]);
    expect((await ocelli('eval', run, '--limit', '3')).code).toBe(0);

    const again = join(folder, 'grid-again');
    expect(await ocelli('train', join(run, 'config.json'), '--out', again)).toMatchObject({ code: 0, errors: '' });
    const [first, second] = await Promise.all(
      [run, again].map((each) => readFile(join(each, 'model', 'model.safetensors'))),
    );
    expect(second!.equals(first!)).toBe(true);
  });

  it('puts as many visual tokens into a sequence as the tiles of its image have', async () => {
    const tower = { ...tinyConfig.vision.config, imageSize: 16, patchSize: 8 };
    const stage = { ...captions, batchSize: 2 };
    const lengths = await Promise.all(
      [null, 'anyres_max_9'].map(async (grid, index) => {
        const config = { ...tinyConfig, vision: { config: tower }, stages: [{ ...stage, grid }] };
        const { batches, config: resolved } = await prepareTraining(
          await writeConfig(folder, config, `tokens-${index}`),
        );
        const source = batches({ stage: resolved.stages[0] as unknown as BatchRequest['stage'], state: undefined });
        const [batch] = [(await source[Symbol.asyncIterator]().next()).value];
        await source.close?.();
        return batch!.tokens;
      }),
    );
    // 32 × 32 pixels on 2 × 2 tiles: the whole, 4 × 4 features and 4 newlines are 24 tokens instead of 4, of both samples.
    expect(lengths[1]! - lengths[0]!).toBe(2 * 20);
  });
});

describe('ocelli train with settings of a stage', () => {
  it('renders, cuts and preprocesses as each stage says, and as the run says elsewhere', async () => {
    const plain = { ...captions, template: 'llava_plain', imageProcessor: 'crop', maximumLength: 8 };
    const stages = [plain, { ...captions, name: 'as the run says' }];
    const vision = { ...tinyConfig.vision, imageProcessor: 'pad' };
    const file = await writeConfig(folder, { ...tinyConfig, vision, stages }, 'settings.yaml');
    const { batches, config } = await prepareTraining(file);
    expect(config.stages.map(({ template, maximumLength }) => [template!.name, maximumLength])).toEqual([
      ['llava_plain', 8],
      ['honeybee_default', 256],
    ]);
    expect(config.stages.map(({ imageProcessor }) => imageProcessor)).toMatchObject([
      { padToSquare: false, crop: { width: 32, height: 32 } },
      { padToSquare: true, crop: { width: 32, height: 32 } },
    ]);
    expect(config.vision.imageProcessor).toEqual(config.stages[1]!.imageProcessor);
    const tokens: number[] = [];
    for (const stage of config.stages) {
      const source = batches({ stage: stage as unknown as BatchRequest['stage'], state: undefined });
      tokens.push((await source[Symbol.asyncIterator]().next()).value!.tokens!);
      await source.close?.();
    }
    expect(tokens[0]).toBe(4 * 8);
    expect(tokens[1]).toBeGreaterThan(4 * 12);
  });
});

describe('ocelli train over several encoders', () => {
  it('leaves an expert of a mixture as it is where the stage freezes it', async () => {
    const mixture = {
      type: 'mixture',
      encoders: [
        {
          encoder: {
            type: 'clip-high-resolution',
            vision: { ...tinyConfig.vision.config, patchSize: 16 },
            inputSize: 32,
          },
        },
        { encoder: { type: 'convnext', depths: [1, 1], hiddenSizes: [4, 6], imageSize: 32, layerScaleInit: 1 } },
      ],
      fusion: { type: 'channel-concat', grid: 2 },
      imageSize: 32,
    };
    const stage = { ...captions, trainable: ['*'], frozen: ['vision.vision_towers.0'], steps: 2 };
    const run = await train('mixture', { vision: { config: mixture }, stages: [stage] });
    const after = await loadModel(join(run, 'model'), { kind: 'vision-language' });
    const before = new VisionLanguageModel(after.config).initialize(tinyConfig.seed);
    const [old, now] = [await before.state(), await after.state()];
    const moved = Object.keys(now).filter((name) =>
      now[name]!.data.some((value, index) => value !== old[name]!.data[index]),
    );
    expect(moved.filter((name) => name.startsWith('vision.vision_towers.0.'))).toEqual([]);
    expect(moved.some((name) => name.startsWith('vision.vision_towers.1.'))).toBe(true);
    expect(moved.some((name) => name.startsWith('language.'))).toBe(true);
  });
});

describe('ocelli train over chosen and grouped samples', () => {
  it('takes the part of each data set that is asked for, each sample once an epoch', async () => {
    const parts = [
      { name: 'captions', sampling: 'first:25%' },
      { name: 'texts', sampling: 'end:2' },
    ];
    const [first, second] = await samplesOf('parts', { data: parts, mixing: 'joined', batchSize: 8 }, 2);
    const all = await readJson<{ id: string }[]>(join(folder, 'world/pretrain.json'));
    const expected = [...all.slice(0, 6).map(({ id }) => id), 'text-10', 'text-11'].sort();
    expect([...first!].sort()).toEqual(expected);
    expect([...second!].sort()).toEqual(expected);
    expect(second).not.toEqual(first);
    const random = [{ name: 'captions', sampling: 'random:4' }];
    const [once] = await samplesOf('random', { data: random }, 1);
    expect(await samplesOf('random', { data: random }, 2)).toEqual([once, expect.any(Array)]);
  });

  it('keeps samples with images and without apart in the batches of a step', async () => {
    const stage = { data: [{ name: 'captions' }, { name: 'texts' }], mixing: 'joined', batchSize: 2 };
    const kinds = (batches: readonly string[][]) =>
      batches.map((ids) => [...new Set(ids.map((id) => (id.startsWith('text-') ? 'text' : 'image')))].join());
    const grouped = kinds(await samplesOf('grouped', { ...stage, groupByLength: true, accumulation: 2 }, 16));
    // Steps of two batches; the last step of each kind is set aside and joined.
    for (let step = 0; step < 7; step++) expect(grouped[2 * step], `step ${step}`).toBe(grouped[2 * step + 1]);
    expect(grouped.slice(0, 14).every((kind) => kind === 'text' || kind === 'image')).toBe(true);
    const mixed = kinds(await samplesOf('ungrouped', stage, 16));
    expect(mixed.some((kind) => kind.includes(','))).toBe(true);
  });

  it('trains so, and leaves what is frozen as it is', async () => {
    const stages = [
      {
        ...questions,
        data: [{ name: 'questions' }, { name: 'texts', sampling: 'first:50%' }],
        mixing: 'joined',
        groupByLength: true,
        trainable: ['*'],
        frozen: ['vision', 'language.model.layers'],
        steps: 2,
      },
    ];
    const run = await train('frozen', { stages });
    const after = await (await loadModel(join(run, 'model'), { kind: 'vision-language' })).state();
    const untouched = await train('untouched', { stages: [{ ...captions, steps: 1, trainable: ['projector'] }] });
    const before = await (await loadModel(join(untouched, 'model'), { kind: 'vision-language' })).state();
    const changed = Object.keys(after).filter(
      (name) => !Buffer.from(after[name]!.data.buffer).equals(Buffer.from(before[name]!.data.buffer)),
    );
    expect(changed.some((name) => name.startsWith('projector.'))).toBe(true);
    expect(changed.filter((name) => /^vision\.|^language\.model\.layers\./.test(name))).toEqual([]);
    expect(changed).toContain('language.model.embed_tokens.weight');
  });
});
