import type { Conversation } from '@ocelli/data';
import { expect, it } from 'vitest';
import { trainingConfigSchema } from '../../src/train/config.js';
import { refuseIn } from '../../src/train/refuse.js';
import { stageSource } from '../../src/train/training-data.js';
import { tinyConfig } from './tiny-run.js';

const refuse = refuseIn('model.yaml');

function conversationsOf(images: readonly number[]): Conversation[] {
  return images.map((count, index) => ({ id: `${index}`, images: Array(count).fill('a.png'), turns: [] }));
}

/** The source of a stage with a batch of four that learns from parts whose samples have so many images. */
function sourceOf(parts: Readonly<Record<string, readonly number[]>>) {
  const names = Object.keys(parts);
  const data = names.map((name, index) => ({ name, weight: index + 1 }));
  const { stages } = trainingConfigSchema.parse({ ...tinyConfig, stages: [{ ...tinyConfig.stages[0], data }] });
  const conversations = new Map(names.map((name) => [name, conversationsOf(parts[name]!)]));
  return stageSource('stages.0', stages[0]!, { conversations, hashes: {} }, refuse);
}

it('is one part in epochs, or several by weight', () => {
  expect(sourceOf({ a: [1, 1, 1, 1] }).source).toMatchObject({ name: 'a', size: 4 });
  const { source } = sourceOf({ a: [1], b: [1, 1], c: [1] });
  expect(source).toMatchObject({
    datasets: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    probabilities: [1 / 6, 2 / 6, 3 / 6],
  });
});

it('has as many images in every batch as samples, where no sample has several', () => {
  expect(sourceOf({ a: [1, 1, 1, 1] }).imagesPerBatch).toBe(4);
  expect(sourceOf({ pictures: [1, 1], texts: [0, 0] }).imagesPerBatch).toBe(4);
  expect(sourceOf({ texts: [0, 0, 0, 0] }).imagesPerBatch).toBeUndefined();
  expect(sourceOf({ pairs: [2, 1, 2, 2] }).imagesPerBatch).toBeUndefined();
});

it('needs a batch of samples in a part that is alone, and one sample in each of several', () => {
  expect(() => sourceOf({ a: [1, 1, 1] })).toThrow(
    'read model.yaml (stages.0.batchSize): expected no more than there are samples, received 4, with 3 in a.',
  );
  expect(() => sourceOf({ a: [1], b: [] })).toThrow('received 4, with 0 in b.');
});
