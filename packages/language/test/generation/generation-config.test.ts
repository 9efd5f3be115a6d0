import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CheckpointError, ConfigError } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generationConfigFromHuggingFace, loadGenerationConfig, parseGenerationConfig } from '../../src/index.js';

describe('parseGenerationConfig', () => {
  it('has the defaults of Hugging Face', () => {
    expect(parseGenerationConfig()).toMatchObject({
      maxLength: 20,
      doSample: false,
      numBeams: 1,
      temperature: 1,
      topK: 50,
      topP: 1,
      typicalP: 1,
      repetitionPenalty: 1,
      noRepeatNgramSize: 0,
      lengthPenalty: 1,
      earlyStopping: false,
      numReturnSequences: 1,
      useCache: true,
    });
  });

  it('prefers later settings, unless they are undefined', () => {
    const config = parseGenerationConfig({ topK: 20, topP: 0.8 }, { topK: 5, topP: undefined });
    expect([config.topK, config.topP]).toEqual([5, 0.8]);
  });

  it('names what is wrong', () => {
    expect(() => parseGenerationConfig({ topK: -1 })).toThrow('topK');
    expect(() => parseGenerationConfig({ topk: 1 } as object)).toThrow('unknown key "topk"');
    expect(() => parseGenerationConfig({ earlyStopping: 'always' } as object)).toThrow('earlyStopping');
  });
});

describe('generationConfigFromHuggingFace', () => {
  it('reads what the file has, and only that', () => {
    const file = {
      bos_token_id: 151643,
      do_sample: true,
      eos_token_id: [151645, 151643],
      repetition_penalty: 1.05,
      temperature: 0.7,
      top_k: 20,
      top_p: 0.8,
      min_p: null,
      stop_strings: ['###'],
      exponential_decay_length_penalty: [10, 1.5],
      num_beam_groups: 1,
      diversity_penalty: 0.0,
      transformers_version: '4.37.0',
    };
    expect(generationConfigFromHuggingFace(file)).toEqual({
      bosTokenId: 151643,
      doSample: true,
      eosTokenId: [151645, 151643],
      repetitionPenalty: 1.05,
      temperature: 0.7,
      topK: 20,
      topP: 0.8,
      stopStrings: ['###'],
      exponentialDecayLengthPenalty: [10, 1.5],
    });
  });

  it('refuses other ways of decoding, and values that are wrong', () => {
    for (const file of [{ num_beam_groups: 2 }, { penalty_alpha: 0.6 }, { guidance_scale: 3 }, { max_time: 5 }]) {
      expect(() => generationConfigFromHuggingFace(file)).toThrow(ConfigError);
      expect(() => generationConfigFromHuggingFace(file)).toThrow(Object.keys(file)[0]!);
    }
    expect(() => generationConfigFromHuggingFace({ top_p: 'high' })).toThrow('topP');
    expect(() => generationConfigFromHuggingFace([1])).toThrow(ConfigError);
    expect(() => generationConfigFromHuggingFace(null)).toThrow(ConfigError);
  });
});

describe('loadGenerationConfig', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'generation-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("reads a checkpoint's file", async () => {
    const checkpoint = fileURLToPath(new URL('../fixtures/backbones/hf_qwen2_sharded', import.meta.url));
    expect(await loadGenerationConfig(checkpoint)).toEqual({
      bosTokenId: 1,
      eosTokenId: [2, 5],
      padTokenId: 0,
      doSample: true,
      temperature: 0.7,
      topP: 0.8,
      topK: 20,
      repetitionPenalty: 1.05,
    });
  });

  it('takes the special tokens of config.json where there is no other file', async () => {
    await expect(loadGenerationConfig(folder)).rejects.toThrow(CheckpointError);
    await expect(loadGenerationConfig(folder)).rejects.toThrow('config.json');
    await writeFile(join(folder, 'config.json'), '{"eos_token_id": 2, "pad_token_id": null, "hidden_size": 8}');
    expect(await loadGenerationConfig(folder)).toEqual({ eosTokenId: 2 });
    await writeFile(join(folder, 'generation_config.json'), '{"eos_token_id": ');
    await expect(loadGenerationConfig(folder)).rejects.toThrow('generation_config.json');
  });
});
