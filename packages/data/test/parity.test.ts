import { fileURLToPath } from 'node:url';
import { closeEngine, findFixtures, passes, readFixture } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { parityChecks } from '../src/fixtures.js';

const folder = fileURLToPath(new URL('fixtures', import.meta.url));
const fixtures = (await findFixtures(folder)).filter(({ kind }) => kind! in parityChecks);

describe('the reference implementations of images, conversations, tokens and batches', () => {
  afterAll(closeEngine);

  it('each have a fixture', () => {
    expect(new Set(fixtures.map(({ kind }) => kind))).toEqual(new Set(Object.keys(parityChecks)));
  });

  it.each(fixtures)('agree with ours: $kind, $file', async ({ file, kind }) => {
    const result = await parityChecks[kind!]!(await readFixture(file));
    expect(result.mismatches).toEqual([]);
    // Pixels are equal to the last bit but one; probabilities and gathered rows are equal.
    expect(result.forward).toBeLessThan(1e-6);
    expect(result.gradient).toBeLessThan(1e-6);
  });

  it('disagree where a pixel, a token or a size differs', async () => {
    const read = (name: string) => readFixture(`${folder}/${name}`);
    const images = await read('honeybee/image_up.safetensors');
    const image = images.tensors.get('in.image')!;
    const darker = { ...image, data: (image.data as BigInt64Array).map((value) => value / 2n) };
    const changed = { ...images, tensors: new Map([...images.tensors, ['in.image', darker] as const]) };
    expect(passes(await parityChecks['honeybee/image']!(changed))).toBe(false);

    const tokens = await read('honeybee/tokens.json');
    const { encode, batch } = tokens.config as { encode: { visual_tokens: number }[]; batch: unknown[] };
    const [first, ...others] = encode;
    const longer = { ...tokens, config: { encode: [{ ...first!, visual_tokens: 5 }, ...others], batch } };
    const { mismatches } = await parityChecks['honeybee/tokens']!(longer);
    expect(mismatches[0]).toMatch(/^encode\[0\]\.input_ids/);

    const masks = await read('backbones/label_masks.json');
    const { cases } = masks.config as { cases: { labels: number[] }[] };
    const relabelled = cases.map((row, index) => (index === 3 ? { ...row, labels: row.labels.with(-1, -100) } : row));
    expect(
      (await parityChecks['backbones/label_masks']!({ ...masks, config: { cases: relabelled } })).mismatches,
    ).toHaveLength(1);

    const chats = await read('backbones/chat_templates.json');
    const changedChats = JSON.parse(JSON.stringify(chats.config).replaceAll('ASSISTANT: No.', 'ASSISTANT:  No.'));
    const { mismatches: changedTexts } = await parityChecks['backbones/chat_templates']!({
      ...chats,
      config: changedChats,
    });
    expect(changedTexts.map((text) => text.split(':')[0])).toEqual([
      'conversations[2].rendered.vicuna_v1',
      'conversations[2].rendered.llava_v1',
    ]);

    const tasks = await read('honeybee/conversations.json');
    const otherDraws = JSON.parse(JSON.stringify(tasks.config).replace('[0,2,1]', '[2,0,1]'));
    expect((await parityChecks['honeybee/conversations']!({ ...tasks, config: otherDraws })).mismatches).toHaveLength(
      1,
    );

    const table = await read('manager/anyres_table.json');
    const { mismatches: wrongTable } = await parityChecks['manager/anyres_table']!({
      ...table,
      config: { ...(table.config as object), features_per_tile_side: 26 },
    });
    expect(wrongTable[0]).toMatch(/^rows\[0\]\.stage1\.5_anyres\.features_before_unpad/);

    const sampler = await read('convllava/sampler.json');
    const otherLengths = JSON.parse(JSON.stringify(sampler.config).replace('[78,-19,', '[1,-19,'));
    expect((await parityChecks['convllava/sampler']!({ ...sampler, config: otherLengths })).mismatches).not.toEqual([]);

    const mixing = await read('honeybee/schedule_and_mixing.json');
    const weights = { sizes: [1, 3], sampling_weights: 'length_ratio', probabilities: [0.5, 0.5] };
    expect(
      (await parityChecks['honeybee/schedule_and_mixing']!({ ...mixing, config: { mixing: [weights] } })).forward,
    ).toBe(0.25);
  });
});
