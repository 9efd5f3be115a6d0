import { argMax, closeEngine, compile, concat, select, sliceAxis, valueAndGrad } from '@ocelli/core-tensor';
import type { GeneratedRow } from '@ocelli/language';
import { afterAll, expect, it } from 'vitest';
import { createAnswerer, toTensors, type VisionLanguageBatch, VisionLanguageModel } from '../src/index.js';
import { answers, collateQuestions, tokenizer } from './colour-questions.js';
import { integers, minimise, smallConfig } from './support.js';

function newModel(): VisionLanguageModel {
  const { language, ...rest } = smallConfig('mlp');
  return new VisionLanguageModel({
    ...rest,
    language: { ...language, vocabSize: tokenizer.vocabularySize },
  }).initialize(5);
}

function textOf({ tokens }: GeneratedRow): string {
  return tokenizer.decode([...tokens], { skipSpecialTokens: true });
}

/** Greedy decoding the slow way: the whole sequence again for every token, one row alone and without its padding. */
async function decodeWithoutCache(
  model: VisionLanguageModel,
  batch: VisionLanguageBatch,
  row: number,
  count: number,
): Promise<number[]> {
  const [, length] = batch.attentionMask.shape as [number, number];
  const padding = ((await batch.attentionMask.data()) as Int32Array).slice(row * length).indexOf(1);
  let sequence = sliceAxis(sliceAxis(model.embed(batch), 0, row, row + 1), 1, padding); // [1, tokens, width]
  const tokens: number[] = [];
  for (let step = 0; step < count; step++) {
    const { logits } = model.language.forward({ inputsEmbeds: sequence });
    tokens.push(await argMax(select(logits, 1, -1), -1).item());
    sequence = concat([sequence, model.language.embed(integers([tokens.at(-1)!], [1, 1]))], 1);
  }
  return tokens;
}

afterAll(closeEngine);

it('answers as decoding the whole sequence again and again does', async () => {
  const model = newModel();
  const collated = collateQuestions('generation', model.visualTokensPerImage);
  expect(collated.lengths[3]).toBeLessThan(collated.lengths[0]!); // So that rows differ in padding.
  const batch = toTensors(collated);
  // No token ends an answer: what a random model says is compared in full.
  const rows = await createAnswerer(model)(batch, { maxNewTokens: 8, eosTokenId: [] });
  for (const row of [0, 3]) expect(rows[row]!.tokens).toEqual(await decodeWithoutCache(model, batch, row, 8));
  expect(new Set(rows.flatMap(({ tokens }) => tokens)).size).toBeGreaterThan(3);
});

it('answers what a model was trained to answer, by what it sees', async () => {
  const model = newModel();
  const training = toTensors(collateQuestions('training', model.visualTokensPerImage));
  const parameters = model.trainableParameters();
  const step = compile((batch: VisionLanguageBatch) => valueAndGrad(() => model.loss(batch), parameters));
  const answer = createAnswerer(model);
  const answered = async () => {
    const options = { maxNewTokens: 8, eosTokenId: tokenizer.eosTokenId! };
    return answer(toTensors(collateQuestions('generation', model.visualTokensPerImage)), options);
  };
  expect((await answered()).map(textOf)).not.toEqual(answers);

  const losses = await minimise(() => step(training), parameters, { steps: 40, learningRate: 0.01 });
  expect(losses[0]).toBeGreaterThan(4);
  expect(losses.at(-1)).toBeLessThan(0.1);

  const rows = await answered();
  expect(rows.map(textOf)).toEqual(answers);
  expect(rows.map(({ finishReason }) => finishReason)).toEqual(['eos', 'eos', 'eos', 'eos']);
});
