import { gradients, placeholder } from '@ocelli/core-tensor';
import { Llama, llamaConfigs } from '@ocelli/language';
import { describe, expect, test } from 'vitest';
import { type PublishedModel, type PublishedName, publishedModels } from '../../src/plan/published-models.js';

/** Parameters of the published checkpoints. */
const counts: Partial<Record<PublishedName, number>> = {
  'clip-vit-base-patch16': 85_799_424,
  'clip-vit-large-patch14-336': 303_507_456,
  'siglip-so400m-patch14-384': 428_225_600,
  'convllava-convnext-768': 669_161_664,
  'convllava-convnext-1536': 669_161_664,
  'clip-convnext-large-d-320': 196_227_264,
  'roberta-base': 124_645_632,
  'vicuna-7b-v1.5': 6_738_415_616,
  'vicuna-13b-v1.5': 13_015_864_320,
  'llama-3-8b': 8_030_261_248,
  'yi-34b': 34_388_917_248,
  'qwen2-0.5b': 494_032_768,
  'qwen2-1.5b': 1_543_714_304,
  'qwen2-7b': 7_615_616_512,
  'internlm2-7b': 7_737_708_544,
};

/** Those that are published in millions (Shi et al. 2024, "Eagle", table 4 and figure 4). */
const millions: Partial<Record<PublishedName, number>> = {
  'clip-vit-large-patch14-336': 303.5,
  // Without the pooled norm and the head of its classifier.
  'eagle-convnext-xxlarge-1024': 843.4,
  'eagle-sam-vit-large': 307.7,
  'eva02-large-det': 303.4,
  'pix2struct-large': 512.8,
};

const build = (name: string, size = { batch: 1 }) =>
  (publishedModels as Readonly<Record<string, PublishedModel>>)[name]!.build(size);

describe('a published model', () => {
  test.each(Object.entries(counts))('%s has %i parameters', (name, count) => {
    expect(build(name).module.parameterCount()).toBe(count);
  });

  test.each(Object.entries(millions))('%s has %d million parameters', (name, count) => {
    expect((build(name).module.parameterCount() / 1e6).toFixed(1)).toBe(count.toFixed(1));
  });

  test.each(Object.keys(publishedModels))('%s is recorded without a single weight', (name) => {
    const { module, input } = build(name);
    const loss = input.kind === 'images' ? input.loss() : input.loss(16);
    const parameters = Object.values(module.namedParameters());
    gradients(loss, parameters);
    const [first] = input.kind === 'images' ? input.features().outputs : input.prompt(16).outputs;
    if (input.kind === 'images') {
      const [rows, columns] = input.grid;
      expect(first!.shape).toEqual([1, rows * columns, input.featureWidth]);
    }
    expect(parameters.length).toBeGreaterThan(100);
    expect(parameters.some((parameter) => parameter.isMaterialized)).toBe(false);
  });

  test('asks a placeholder for its values only by mistake', async () => {
    const { logits } = new Llama(llamaConfigs['qwen2-0.5b']).forward({ inputIds: placeholder([1, 4], 'int32') });
    expect(logits.shape).toEqual([1, 4, 151936]);
    await expect(placeholder([1]).data()).rejects.toThrow(/being traced/);
  });
});
