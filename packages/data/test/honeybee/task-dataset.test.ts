import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, readFixture } from '@ocelli/core-tensor';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { segmentHoneybeePrompt } from '../../src/conversation/honeybee-prompt.js';
import { renderConversation } from '../../src/conversation/render.js';
import { drawsOf } from '../../src/honeybee/draws.js';
import { INSTRUCTION_PATTERNS } from '../../src/honeybee/instruction-patterns.js';
import { makeSamples } from '../../src/honeybee/make-samples.js';
import { taskConfigSchema } from '../../src/honeybee/task-config.js';
import { drawSample, readTaskDataset } from '../../src/honeybee/task-dataset.js';
import { randomKey } from '../../src/random.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-tasks-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Row {
  readonly cls: string;
  readonly raw: Record<string, unknown>;
  readonly items: readonly { readonly image: string; readonly text: string }[];
}

async function fixtureRows(): Promise<readonly Row[]> {
  const file = fileURLToPath(new URL('../fixtures/honeybee/conversations.json', import.meta.url));
  return ((await readFixture(file)).config as { datasets: Row[] }).datasets;
}

const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));

describe('a data set of the recipe', () => {
  it('is read from its published files, and carries the template of each sample', async () => {
    const rows = await fixtureRows();
    const row = (cls: string) => rows.find((each) => each.cls === cls)!;
    const { questions, annotations } = row('VQADataset').raw;
    await write('v2_OpenEnded_mscoco_train2014_questions.json', questions);
    await write('v2_mscoco_train2014_annotations.json', annotations);
    const vqa = await readTaskDataset('vqa', { type: 'vqa', root: folder, split: 'train', turns: 10 });
    expect(vqa.size).toBe(2);
    const sample = await vqa.get(0, randomKey(1));
    expect(sample).toMatchObject({ id: 'vqa#0', template: 'honeybee_default' });
    expect(sample.images).toEqual([join(folder, 'images/COCO_train2014_000000000007.jpg')]);
    expect(sample.turns).toHaveLength(6);
    expect(vqa.lengths!()).toEqual([0, 1].map(() => expect.any(Number)));
    expect(vqa.lengths!().every((length) => Number.isInteger(length) && length > 0)).toBe(true);
    expect(vqa.lengths!()).toEqual(vqa.lengths!());

    const { images, regions } = row('VGLocDataset').raw;
    await write('image_data.json', images);
    await write('region_descriptions.json', regions);
    const genome = await readTaskDataset('vg', { type: 'vgloc', root: folder, imageRoot: 'vg' });
    expect(genome.size).toBe(2);
    expect((await genome.get(1, randomKey(1))).images).toEqual(['vg/4.jpg']);

    await write('gqa.json', row('GQADataset').raw);
    const deduplicate = { key: 'answer' };
    const gqa = await readTaskDataset('gqa', {
      type: 'gqa',
      file: join(folder, 'gqa.json'),
      imageRoot: 'g',
      turns: 10,
      deduplicate,
    });
    expect(gqa.size).toBe(2);
    expect((await gqa.get(0, randomKey(1))).turns).toHaveLength(6);

    await writeFile(
      join(folder, 'vsr.jsonl'),
      (row('VSRDataset').raw as unknown as object[]).map((each) => JSON.stringify(each)).join('\n'),
    );
    const vsr = await readTaskDataset('vsr', { type: 'vsr', file: join(folder, 'vsr.jsonl'), imageRoot: 'i' });
    expect(vsr.size).toBe(5);
    await writeFile(
      join(folder, 'island.json'),
      JSON.stringify([{ image_link: 'a/b/c.jpg', caption: 'The island is small.', label: 1 }]),
    );
    const asked = await Promise.all(
      ([undefined, 'corrected'] as const).map(async (questionForm) => {
        const file = join(folder, 'island.json');
        const config = { type: 'vsr', file, imageRoot: 'i', ...(questionForm && { questionForm }) } as const;
        return (await (await readTaskDataset('island', config)).get(0, randomKey(1))).turns[0]!.text;
      }),
    );
    expect(asked[0]).toContain('Is the land small?');
    expect(asked[1]).toContain('Is the island small?');

    await write('finetune_refcoco_train.json', row('RefExpLocDataset').raw);
    const names = ['refcoco'] as const;
    const refcoco = await readTaskDataset('ref', { type: 'refexp', root: folder, names: [...names], imageRoot: 'i' });
    const kinds = await Promise.all(
      Array.from({ length: 20 }, async (_, seed) => (await refcoco.get(0, randomKey(seed))).turns[1]!.text),
    );
    // Grounding and captioning, half each.
    expect(new Set(kinds)).toEqual(new Set(['left man', '[0.000,0.096,0.373,0.947]']));
    expect(await refcoco.get(0, randomKey(3))).toEqual(await refcoco.get(0, randomKey(3)));
  });

  it('draws from patterns of its own, such as identifiers, or questions and answers the other way round', async () => {
    const raw = (await fixtureRows()).find(({ cls }) => cls === 'VSRDataset')!.raw;
    await write('vsr.json', raw);
    const vsr = await readTaskDataset('vsr', {
      type: 'vsr',
      file: join(folder, 'vsr.json'),
      imageRoot: 'i',
      patterns: [
        { input: 'vsr {question_interro}', target: '{answer}' },
        { input: 'Ask something that is answered by {answer}.', target: '{question_interro}' },
      ],
    });
    const published = await readTaskDataset('vsr', { type: 'vsr', file: join(folder, 'vsr.json'), imageRoot: 'i' });
    const texts = async (dataset: typeof vsr, seed: number) =>
      (await dataset.get(0, randomKey(seed))).turns.map(({ text }) => text.replace('<image>\n', ''));
    const [asked, answer] = await texts(published, 0);
    const question = asked!.slice(
      'Answer the question using a single word or phrase. '.length,
      -' Please answer yes or no.'.length,
    );
    const drawn = await Promise.all(Array.from({ length: 20 }, (_, seed) => texts(vsr, seed)));
    expect(new Set(drawn.map(String))).toEqual(
      new Set([[`vsr ${question}`, answer].join(), [`Ask something that is answered by ${answer}.`, question].join()]),
    );
    const unknown = {
      type: 'vsr',
      file: join(folder, 'vsr.json'),
      imageRoot: 'i',
      patterns: [{ input: '{phrase}', target: '!' }],
    };
    const wrong = await readTaskDataset('vsr', unknown as never);
    await expect(async () => wrong.get(0, randomKey(0))).rejects.toThrow('{phrase}');
  });

  it('of conversations as they are written needs no patterns', async () => {
    const rows = await fixtureRows();
    await write('llava.json', rows.find(({ cls }) => cls === 'LLaVAInstructDataset')!.raw);
    const files = [join(folder, 'llava.json')];
    const llava = await readTaskDataset('llava', { type: 'llava', files, imageRoot: 'coco' });
    expect(await llava.get(1, randomKey(0))).toEqual({
      id: 'llava#1',
      images: ['coco/2.jpg'],
      turns: [
        { role: 'user', text: 'Describe it.\n<image>' },
        { role: 'assistant', text: 'Two cups.' },
      ],
      template: 'honeybee_instruction',
    });
    // An image that is not mentioned has no place in the text.
    expect((await llava.get(2, randomKey(0))).images).toEqual([]);
    const captions = await readTaskDataset('llava', { type: 'llava', files, imageRoot: 'coco', asCaptions: true });
    expect(await captions.get(2, randomKey(0))).toMatchObject({ images: ['coco/3.jpg'], template: 'plain' });
  });

  it('renders as its prompt is cut', async () => {
    const config = taskConfigSchema.parse({ type: 'sqa', files: ['-'], imageRoot: 'i', options: { shuffle: true } });
    const raw = (await fixtureRows()).find(({ cls }) => cls === 'SQAInstructDataset')!.raw;
    const { samples, patterns } = makeSamples(config, { list: raw });
    for (const [index, sample] of samples.entries()) {
      const drawn = drawSample(sample, INSTRUCTION_PATTERNS[patterns!], { shuffle: true }, drawsOf(randomKey(index)));
      const images = drawn.image === null ? [] : [drawn.image];
      const rendered = renderConversation({ id: '', images, turns: drawn.turns }, drawn.template);
      expect(rendered).toEqual(segmentHoneybeePrompt(drawn.prompt));
    }
    expect(samples).toHaveLength(2);
  });

  it('is refused with a configuration that has a wrong or unknown field', async () => {
    const attempt = (config: object) => readTaskDataset('x', config as never);
    await expect(attempt({ type: 'vqa', root: folder, split: 'test' })).rejects.toThrow(ConfigError);
    await expect(attempt({ type: 'vsr', file: 'a', imageRoot: 'b', dedup: true })).rejects.toThrow(/"dedup"/);
    await expect(attempt({ type: 'coco' })).rejects.toThrow(ConfigError);
    await expect(attempt({ type: 'gqa', file: join(folder, 'none'), imageRoot: 'i' })).rejects.toThrow(
      /none: .*ENOENT/,
    );
  });
});
