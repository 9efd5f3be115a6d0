import { closeEngine } from '@ocelli/core-tensor';
import { afterAll, expect, it } from 'vitest';
import { toTensors, VisionLanguageModel } from '../src/index.js';
import { answers, collateQuestions, tokenizer } from './colour-questions.js';
import { smallConfig } from './support.js';

afterAll(closeEngine);

it('gives the arrays of a collated batch their shapes', async () => {
  const batch = collateQuestions('training', 4);
  const { length } = batch.shape;
  const tensors = toTensors(batch);
  for (const name of ['inputIds', 'plan', 'labels', 'attentionMask', 'positions'] as const) {
    expect(tensors[name].shape, name).toEqual([4, length]);
    expect(tensors[name].dtype, name).toBe('int32');
    expect(await tensors[name].data(), name).toEqual(batch[name]);
  }
  expect(tensors.pixelValues.shape).toEqual([4, 3, 8, 8]);
  expect(await tensors.pixelValues.data()).toEqual(batch.pixelValues);
});

it('puts the projected images in their places in a model', async () => {
  const config = smallConfig('c-abstractor');
  const language = { ...config.language, vocabSize: tokenizer.vocabularySize };
  const model = new VisionLanguageModel({ ...config, language }).initialize(0);
  const batch = collateQuestions('training', model.visualTokensPerImage);
  const tensors = toTensors(batch);
  const embedded = (await model.embed(tensors).data()) as Float32Array;
  const text = (await model.language.embed(tensors.inputIds).data()) as Float32Array;
  const visual = (await model.encodeImages(tensors.pixelValues).data()) as Float32Array;

  const width = 12;
  const cells = 4 * batch.shape.length;
  const images = [...batch.plan].flatMap((row, cell) => (row >= cells ? [{ cell, row: row - cells }] : []));
  expect(images.map(({ row }) => row)).toEqual([0, 1, 2, 3]);
  for (let cell = 0; cell < cells; cell++) {
    const image = images.find((each) => each.cell === cell);
    const [source, row] = image ? [visual, image.row] : [text, cell];
    expect(embedded.slice(cell * width, (cell + 1) * width)).toEqual(source.slice(row * width, (row + 1) * width));
  }
});

it('trains exactly the answers of the conversations', () => {
  const { labels, shape } = collateQuestions('training', 4);
  answers.forEach((answer, row) => {
    const trained = labels.slice(row * shape.length, (row + 1) * shape.length).filter((label) => label !== -100);
    expect(tokenizer.decode(trained)).toBe(`${answer}</s>`);
  });
});
