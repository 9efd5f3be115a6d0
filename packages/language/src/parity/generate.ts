import {
  compareWithFixture,
  type Fixture,
  fixtureTensors,
  type ParityCheck,
  type ParityResult,
  parseConfig,
  type Tensor,
  tensor,
  toTensor,
  worstOf,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { generate } from '../generation/generate.js';
import type { GeneratedRow } from '../generation/generate-options.js';
import { parseGenerationConfig } from '../generation/generation-config.js';
import { generationConfigFromHuggingFace } from '../generation/hugging-face-generation-config.js';
import { rowsOf } from '../generation/prompt.js';
import type { Llama } from '../llama/llama.js';

const runs = z.object({ runs: z.record(z.string(), z.record(z.string(), z.unknown())) });

/**
 * Every run of the file, with a cache and without: the sequences exactly, and the scores of beams.
 *
 * @param modelOf the model of a fixture, with its weights
 */
export function checkGenerate(modelOf: (fixture: Fixture) => Llama): ParityCheck {
  return async (fixture) => {
    const model = modelOf(fixture);
    const results: ParityResult[] = [];
    for (const [name, json] of Object.entries(parseConfig('generate fixture', runs, fixture.config).runs)) {
      for (const useCache of [true, false])
        results.push(await checkRun(model, fixture, name, { ...json, use_cache: useCache }));
    }
    return worstOf(results);
  };
}

async function checkRun(model: Llama, fixture: Fixture, name: string, json: object): Promise<ParityResult> {
  const settings = generationConfigFromHuggingFace(json);
  const { input_ids: inputIds, attention_mask: attentionMask } = fixtureTensors(fixture, 'in');
  const prompt = { inputIds: toTensor(inputIds!), attentionMask: attentionMask && toTensor(attentionMask) };
  const rows = await generate(model, { ...prompt, ...settings });
  const { padTokenId, eosTokenId, numReturnSequences } = parseGenerationConfig(settings);
  const padding = padTokenId ?? [eosTokenId ?? 0].flat()[0]!;
  const prompts = (await rowsOf(prompt.inputIds)).flatMap((ids) => new Array<number[]>(numReturnSequences).fill(ids));
  const scores = rows.flatMap(({ score }) => score ?? []);
  const outputs = {
    sequences: sequencesOf(prompts, rows, padding),
    ...(scores.length > 0 ? { sequences_scores: tensor(Float32Array.from(scores)) } : {}),
  };
  const result = await compareWithFixture(fixture, { outputs }, name);
  return { ...result, mismatches: result.mismatches.map((text) => `${JSON.stringify(json)}: ${text}`) };
}

/** Prompts with their answers, as long as the longest one. */
function sequencesOf(prompts: readonly (readonly number[])[], rows: readonly GeneratedRow[], padding: number): Tensor {
  const longest = rows.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const sequences = rows.flatMap(({ tokens }, row) => [
    ...prompts[row]!,
    ...tokens,
    ...new Array<number>(longest - tokens.length).fill(padding),
  ]);
  return tensor(Int32Array.from(sequences), [rows.length, sequences.length / rows.length]);
}
