import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CheckpointError,
  closeEngine,
  type LoadProgress,
  linear,
  parseSafetensors,
  QuantizedWeight,
  type StoredTensor,
  serializeSafetensors,
  tensor,
} from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { llamaConfigFromHuggingFace, loadLlama, saveLlama } from '../../src/index.js';
import { difference, ids } from '../support.js';

const fixtures = fileURLToPath(new URL('../fixtures/backbones/', import.meta.url));
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-llama-'));
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

/** A copy of a checkpoint with some fields of its configuration changed. */
async function withConfig(folder: string, changes: object): Promise<string> {
  const copy = await mkdtemp(join(root, folder));
  await cp(join(fixtures, folder), copy, { recursive: true });
  const config = JSON.parse(await readFile(join(copy, 'config.json'), 'utf8'));
  await writeFile(join(copy, 'config.json'), JSON.stringify({ ...config, ...changes }));
  return copy;
}

describe('loadLlama', () => {
  // One file of three dtypes with buffers to ignore; and shards with a tied head and biases.
  it.each(['hf_llama_single', 'hf_qwen2_sharded'])('gives the published logits of %s', async (folder) => {
    const model = await loadLlama(join(fixtures, folder));
    const { tensors } = parseSafetensors(await readFile(join(fixtures, folder, 'expected.safetensors')));
    const read = (name: string) => {
      const { data, shape } = tensors.get(name)!;
      return tensor(data as Float32Array, shape);
    };
    const { logits } = model.forward({ inputIds: read('in.input_ids') });
    expect(logits.shape).toEqual(read('out.logits').shape);
    expect(await difference(logits, read('out.logits'))).toBeLessThan(1e-4);
  });

  it('lists tensors that the configuration has no place for', async () => {
    const folder = await withConfig('hf_llama_single', { num_hidden_layers: 1 });
    await expect(loadLlama(folder)).rejects.toThrow(/unexpected: model\.layers\.1\./);
  });

  it('lists tensors of another shape', async () => {
    const folder = await withConfig('hf_llama_single', { vocab_size: 30 });
    await expect(loadLlama(folder)).rejects.toThrow('model.embed_tokens.weight: [31, 32] instead of [30, 32]');
  });

  it('lets the token table win over a head that a tied model stores', async () => {
    const folder = await withConfig('hf_llama_single', { tie_word_embeddings: true });
    const tied = await loadLlama(folder);
    const untied = await loadLlama(join(fixtures, 'hf_llama_single'));
    expect(tied.lm_head).toBeUndefined();
    const inputIds = ids([[1, 5, 9]]);
    const { hiddenStates } = untied.forward({ inputIds });
    const expected = linear(hiddenStates.at(-1)!, untied.model.embed_tokens.weight);
    expect(await difference(tied.forward({ inputIds }).logits, expected)).toBe(0);
  });

  it('names the shard that is cut off, and an index without its shard', async () => {
    const folder = await withConfig('hf_qwen2_sharded', {});
    const shard = join(folder, 'model-00002-of-00003.safetensors');
    const bytes = await readFile(shard);
    await writeFile(shard, bytes.subarray(0, bytes.length - 100));
    await expect(loadLlama(folder)).rejects.toThrow(shard);
    await rm(shard);
    await expect(loadLlama(folder)).rejects.toThrow(CheckpointError);
    await expect(loadLlama(folder)).rejects.toThrow(shard);
  });

  it('refuses integers in place of weights', async () => {
    const folder = await withConfig('hf_llama_single', {});
    const { tensors, metadata } = parseSafetensors(await readFile(join(folder, 'model.safetensors')));
    const integers = { dtype: 'int32', shape: [32], data: new Int32Array(32) } as const;
    const changed = new Map<string, StoredTensor>([...tensors, ['model.norm.weight', integers]]);
    await writeFile(join(folder, 'model.safetensors'), serializeSafetensors(changed, { metadata }));
    await expect(loadLlama(folder)).rejects.toThrow(
      'of another dtype: model.norm.weight: int32 instead of a float of 16, 32 or 64 bits',
    );
  });

  it('quantizes as it reads, and reads what was saved so', async () => {
    const [floats, quantized] = await Promise.all([
      loadLlama(join(fixtures, 'hf_llama_single')),
      loadLlama(join(fixtures, 'hf_llama_single'), { quantize: { bits: 8, blockSize: 32 } }),
    ]);
    const { weight } = quantized.model.layers[0]!.mlp.down_proj;
    expect(weight).toBeInstanceOf(QuantizedWeight);
    const inputIds = ids([[1, 5, 9]]);
    const error = await difference(floats.forward({ inputIds }).logits, quantized.forward({ inputIds }).logits);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(0.05);
    const folder = join(root, 'quantized');
    await saveLlama(folder, quantized);
    const again = await loadLlama(folder);
    expect(await difference(again.forward({ inputIds }).logits, quantized.forward({ inputIds }).logits)).toBe(0);
  });

  it('tells how far it is', async () => {
    const seen: LoadProgress[] = [];
    await loadLlama(join(fixtures, 'hf_qwen2_sharded'), { onProgress: (progress) => seen.push(progress) });
    expect(seen).toHaveLength(26);
    expect(seen.at(-1)!.bytes).toEqual({ done: 30592, total: 30592 });
  });

  it('refuses what is neither a folder nor the id of a model', async () => {
    await expect(loadLlama('nowhere')).rejects.toThrow('the id of a model as owner/name');
  });

  it('refuses other architectures and what it cannot compute', async () => {
    await expect(loadLlama(await withConfig('hf_llama_single', { model_type: 'gpt2' }))).rejects.toThrow('"gpt2"');
    const sliding = await withConfig('hf_qwen2_sharded', { use_sliding_window: true });
    await expect(loadLlama(sliding)).rejects.toThrow('use_sliding_window');
    await expect(loadLlama(await mkdtemp(join(root, 'empty')))).rejects.toThrow('config.json');
  });
});

describe('llamaConfigFromHuggingFace', () => {
  it('has the defaults of each type', () => {
    expect(llamaConfigFromHuggingFace({ model_type: 'llama' })).toMatchObject({
      vocabSize: 32000,
      numKeyValueHeads: 32,
      rmsNormEps: 1e-6,
      attentionBias: false,
    });
    expect(llamaConfigFromHuggingFace({ model_type: 'qwen2', num_key_value_heads: 2 })).toMatchObject({
      vocabSize: 151936,
      attentionBias: true,
      attentionOutputBias: false,
    });
  });

  it('has the defaults of InternLM2, whose bias is one field', () => {
    expect(llamaConfigFromHuggingFace({ model_type: 'internlm2' })).toMatchObject({
      vocabSize: 103168,
      rmsNormEps: 1e-6,
      ropeTheta: 10000,
      attentionBias: true,
      attentionOutputBias: true,
      mlpBias: false,
      padTokenId: 0,
    });
    const published = { model_type: 'internlm2', bias: false, attention_bias: true, pad_token_id: null };
    expect(llamaConfigFromHuggingFace(published)).toMatchObject({ attentionBias: false, padTokenId: null });
    expect(llamaConfigFromHuggingFace({ model_type: 'llama', bias: true })).toMatchObject({ attentionBias: false });
  });

  it('reads both spellings of rope scaling', () => {
    const linear = { factor: 4 };
    const expected = { type: 'linear', factor: 4 };
    expect(llamaConfigFromHuggingFace({ rope_scaling: { ...linear, type: 'linear' } }).ropeScaling).toEqual(expected);
    expect(llamaConfigFromHuggingFace({ rope_scaling: { ...linear, rope_type: 'linear' } }).ropeScaling).toEqual(
      expected,
    );
    expect(llamaConfigFromHuggingFace({ rope_scaling: { rope_type: 'default' } }).ropeScaling).toBeNull();
    expect(() => llamaConfigFromHuggingFace({ rope_scaling: { rope_type: 'longrope' } })).toThrow('ropeScaling.type');
  });
});
