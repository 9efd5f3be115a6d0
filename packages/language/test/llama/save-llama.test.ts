import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeEngine, openCheckpoint, type Parameter, saveWeights } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Llama,
  type LlamaConfigInput,
  llamaConfigFromHuggingFace,
  llamaConfigs,
  llamaConfigToHuggingFace,
  loadLlama,
  metaLlamaKeyMap,
  saveLlama,
} from '../../src/index.js';
import { difference, ids, smallConfig, smallModel } from '../support.js';

const fixtures = fileURLToPath(new URL('../fixtures/backbones/', import.meta.url));
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-llama-'));
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

async function sameLogits(a: Llama, b: Llama): Promise<number> {
  const inputIds = ids([[3, 1, 4, 1, 5, 9, 2, 6]]);
  return difference(a.forward({ inputIds }).logits, b.forward({ inputIds }).logits);
}

describe('saveLlama', () => {
  it('writes a published checkpoint as it was, byte for byte', async () => {
    const original = join(fixtures, 'hf_qwen2_sharded');
    const folder = join(root, 'qwen2');
    const model = await loadLlama(original);
    await saveLlama(folder, model, { dtype: 'bfloat16', maxShardBytes: 11000, config: { eos_token_id: 2 } });
    const weights = (names: string[]) => names.filter((name) => name.startsWith('model')).sort();
    expect(weights(await readdir(folder))).toEqual(weights(await readdir(original)));
    for (const name of weights(await readdir(original))) {
      const [ours, theirs] = await Promise.all([folder, original].map((each) => readFile(join(each, name), 'latin1')));
      // The library's own files end with a line break; the fixture's index does not.
      expect([name, ours === theirs || ours === `${theirs}\n`]).toEqual([name, true]);
    }
    expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toMatchObject({
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      vocab_size: 37,
      rope_theta: 1e6,
      tie_word_embeddings: true,
      eos_token_id: 2,
      torch_dtype: 'bfloat16',
    });
    expect(await sameLogits(model, await loadLlama(folder))).toBe(0);
  });

  it.each(['llama', 'internlm2'] as const)('is undone by loading, as %s', async (type) => {
    const model = smallModel({ ropeScaling: { type: 'dynamic', factor: 2 } });
    const folder = join(root, type);
    await saveLlama(folder, model, { type });
    const loaded = await loadLlama(folder);
    expect(loaded.config).toEqual(model.config);
    expect(await loaded.state()).toEqual(await model.state());
  });

  it('packs queries, keys and values of InternLM2 group by group, with their biases', async () => {
    const model = smallModel({ attentionBias: true });
    const folder = join(root, 'packed');
    await saveLlama(folder, model, { type: 'internlm2' });
    const reader = await openCheckpoint(folder);
    const packed = await reader.read('model.layers.1.attention.wqkv.weight', { as: 'float32' });
    const bias = await reader.read('model.layers.1.attention.wqkv.bias', { as: 'float32' });
    expect([packed.shape, bias.shape]).toEqual([[64, 32], [64]]);
    expect(reader.info('model.layers.1.attention.wo.bias').shape).toEqual([32]);
    expect(reader.has('model.tok_embeddings.weight') && reader.has('output.weight')).toBe(true);
    await reader.close();
    const { q_proj, k_proj, v_proj } = model.model.layers[1]!.self_attn;
    const [q, k, v] = await Promise.all(
      [q_proj, k_proj, v_proj].map(async ({ bias }) => [...((await bias!.data()) as Float32Array)]),
    );
    // Two groups of two query heads, a key and a value head, each of width 8.
    const part = (values: number[] | undefined, begin: number, end: number) => values!.slice(8 * begin, 8 * end);
    expect([...bias.data]).toEqual([
      ...part(q, 0, 2),
      ...part(k, 0, 1),
      ...part(v, 0, 1),
      ...part(q, 2, 4),
      ...part(k, 1, 2),
      ...part(v, 1, 2),
    ]);
    const loaded = await loadLlama(folder);
    expect(await sameLogits(model, loaded)).toBe(0);
  });

  it('refuses a family that has no such model, and writes nothing', async () => {
    const folder = join(root, 'refused');
    const biased = smallModel({ attentionBias: true, attentionOutputBias: false });
    await expect(saveLlama(folder, biased, { type: 'llama' })).rejects.toThrow(
      'a decoder of type llama: attentionOutputBias equal to attentionBias, received attentionBias true',
    );
    await expect(saveLlama(folder, smallModel(), { type: 'qwen2' })).rejects.toThrow('attentionBias without');
    await expect(saveLlama(folder, smallModel({ headDim: 4 }), { type: 'internlm2' })).rejects.toThrow('headDim 4');
    expect(await readdir(root)).not.toContain('refused');
  });
});

describe('llamaConfigToHuggingFace', () => {
  const inputs: LlamaConfigInput[] = [
    ...Object.values(llamaConfigs),
    { headDim: 64, mlpBias: true, attentionBias: true, padTokenId: 5 },
    { ropeScaling: { type: 'linear', factor: 4 } },
    {
      ropeScaling: {
        type: 'llama3',
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositionEmbeddings: 8192,
      },
    },
    { ropeScaling: { type: 'yarn', factor: 4, betaFast: 16, betaSlow: 2, attentionFactor: 1.5 } },
  ];

  it.each(inputs)('is read back as it was: %o', (input) => {
    const { config } = new Llama(input);
    expect(llamaConfigFromHuggingFace(llamaConfigToHuggingFace(config))).toEqual(config);
  });
});

describe("Meta's layout", () => {
  const params = { dim: 32, n_layers: 2, n_heads: 4, n_kv_heads: 2, vocab_size: -1, multiple_of: 16, norm_eps: 1e-5 };

  it('is read with its pairs of rows put into halves', async () => {
    const folder = join(root, 'meta');
    // 2/3 of 4 · 32, rounded up to a multiple of 16.
    const model = smallModel({ ...smallConfig, intermediateSize: 96, rmsNormEps: 1e-5 });
    await saveWeights(folder, model, { keyMap: metaLlamaKeyMap(model.config) });
    await writeFile(join(folder, 'params.json'), JSON.stringify(params));
    const loaded = await loadLlama(folder);
    expect(loaded.config).toEqual({ ...model.config, maxPositionEmbeddings: 4096, initializerRange: 0.02 });
    expect(await loaded.state()).toEqual(await model.state());

    const reader = await openCheckpoint(folder);
    const { data } = await reader.read('layers.0.attention.wk.weight', { as: 'float32' });
    await reader.close();
    const ours = (await (model.model.layers[0]!.self_attn.k_proj.weight as Parameter).data()) as Float32Array;
    const row = (values: Float32Array, index: number) => [...values.subarray(32 * index, 32 * (index + 1))];
    // In a head of width 8: ours pair row p with p + 4, theirs 2p with 2p + 1.
    for (const head of [0, 1]) {
      for (const pair of [0, 1, 2, 3]) {
        expect(row(data, 8 * head + 2 * pair)).toEqual(row(ours, 8 * head + pair));
        expect(row(data, 8 * head + 2 * pair + 1)).toEqual(row(ours, 8 * head + pair + 4));
      }
    }
  });

  it('names fields that are missing', async () => {
    const folder = join(root, 'meta-damaged');
    const model = smallModel();
    await saveWeights(folder, model, { keyMap: metaLlamaKeyMap(model.config) });
    const { dim: _, ...rest } = params;
    await writeFile(join(folder, 'params.json'), JSON.stringify(rest));
    await expect(loadLlama(folder)).rejects.toThrow(/dim/);
  });
});
