import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, ConfigError, closeEngine, openSafetensors, writeSafetensors } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loadRoberta,
  loadRobertaForMaskedLm,
  Roberta,
  RobertaForMaskedLm,
  robertaConfigFromHuggingFace,
  robertaConfigs,
  saveRoberta,
} from '../../src/index.js';

const structure = {
  vocabSize: 20,
  hiddenSize: 64,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 1,
  maxPositionEmbeddings: 12,
  typeVocabSize: 1,
  layerNormEps: 1e-5,
} as const;

const fileConfig = {
  model_type: 'roberta',
  vocab_size: 20,
  hidden_size: 64,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 1,
  max_position_embeddings: 12,
  type_vocab_size: 1,
  layer_norm_eps: 1e-5,
};

type Tensors = Record<string, { dtype: 'float32'; shape: readonly number[]; data: Float32Array }>;

const extra = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;

let root: string;
let model: Roberta;
let withHead: RobertaForMaskedLm;

async function folderWith(config: object | undefined, tensors: Tensors): Promise<string> {
  const folder = await mkdtemp(join(root, 'folder'));
  if (config) await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

async function stored(module: Roberta | RobertaForMaskedLm): Promise<Tensors> {
  const folder = await mkdtemp(join(root, 'stored'));
  await saveRoberta(folder, module);
  const reader = await openSafetensors(join(folder, 'model.safetensors'));
  const tensors: Tensors = {};
  for (const key of reader.keys()) {
    const { shape, data } = await reader.read(key, { as: 'float32' });
    tensors[key] = { dtype: 'float32', shape, data };
  }
  await reader.close();
  return tensors;
}

const withPrefix = (tensors: Tensors, prefix: string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([key, value]) => [prefix + key, value]));

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-roberta-'));
  model = new Roberta(structure).initialize(5);
  withHead = new RobertaForMaskedLm(structure).initialize(6);
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

describe('loadRoberta', () => {
  it('reads what saveRoberta writes', async () => {
    const folder = join(root, 'saved');
    await saveRoberta(folder, model);
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ ...fileConfig, architectures: ['RobertaModel'] });
    const { model: loaded, report } = await loadRoberta(folder);
    expect(loaded.config).toEqual(model.config);
    expect(await loaded.state()).toEqual(await model.state());
    expect(report.kept).toEqual([]);
  });

  it('reads the published file: with a prefix, a head and buffers, and without a pooling layer', async () => {
    const folder = await folderWith(fileConfig, {
      ...(await stored(withHead)),
      'lm_head.decoder.weight': extra,
      'roberta.embeddings.position_ids': extra,
    });
    const { model: loaded, report } = await loadRoberta(folder);
    expect(report.kept).toEqual(['pooler.dense.weight', 'pooler.dense.bias']);
    const { 'pooler.dense.weight': weight, 'pooler.dense.bias': bias, ...rest } = await loaded.state();
    expect(rest).toEqual(await withHead.roberta.state());
    expect((bias!.data as Float32Array).every((value) => value === 0)).toBe(true);
    expect((weight!.data as Float32Array).some((value) => value !== 0)).toBe(true);

    const { model: plain, report: complete } = await loadRoberta(folder, { addPoolingLayer: false });
    expect(complete.kept).toEqual([]);
    expect(await plain.state()).toEqual(await withHead.roberta.state());
  });

  it("reads ManagerTower's text encoder, which is under a prefix and has no config.json", async () => {
    const folder = await folderWith(undefined, {
      ...withPrefix(await stored(model), 'text_transformer.'),
      'vit_model.visual.conv1.weight': extra,
      'cross_modal_text_layers.0.output.dense.bias': extra,
    });
    const { model: loaded } = await loadRoberta(folder);
    expect(loaded.config).toEqual(model.config);
    expect(await loaded.state()).toEqual(await model.state());
  });

  it('understands the names of old files', async () => {
    const old = Object.fromEntries(
      Object.entries(await stored(model)).map(([key, value]) => [
        key.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
        value,
      ]),
    );
    expect(await (await loadRoberta(await folderWith(fileConfig, old))).model.state()).toEqual(await model.state());
  });

  it('refuses another kind of model, and what does not fit', async () => {
    const tensors = await stored(model);
    const bert = await folderWith({ ...fileConfig, model_type: 'bert' }, tensors);
    await expect(loadRoberta(bert)).rejects.toThrow('"bert"');
    const relative = await folderWith({ ...fileConfig, position_embedding_type: 'relative_key' }, tensors);
    await expect(loadRoberta(relative)).rejects.toThrow('position_embedding_type');
    const { 'encoder.layer.1.output.dense.bias': _, ...rest } = tensors;
    await expect(loadRoberta(await folderWith(fileConfig, rest))).rejects.toThrow(
      'missing: encoder.layer.1.output.dense.bias',
    );
    const longer = await folderWith({ ...fileConfig, max_position_embeddings: 14 }, tensors);
    await expect(loadRoberta(longer)).rejects.toThrow('[12, 64] instead of [14, 64]');
    await expect(loadRoberta(await folderWith(fileConfig, { weight: extra }))).rejects.toThrow(CheckpointError);
    const heads = await folderWith(undefined, { 'embeddings.word_embeddings.weight': extra });
    await expect(loadRoberta(heads)).rejects.toThrow(ConfigError);
  });
});

describe('loadRobertaForMaskedLm', () => {
  it('reads what saveRoberta writes, and ignores a second copy of the word table', async () => {
    const folder = join(root, 'head');
    await saveRoberta(folder, withHead);
    const { model: loaded } = await loadRobertaForMaskedLm(folder);
    expect(await loaded.state()).toEqual(await withHead.state());
    const published = await folderWith(fileConfig, {
      ...(await stored(withHead)),
      'lm_head.decoder.weight': extra,
      'lm_head.decoder.bias': extra,
      'roberta.pooler.dense.weight': extra,
    });
    expect(await (await loadRobertaForMaskedLm(published)).model.state()).toEqual(await withHead.state());
  });

  it('refuses a checkpoint without head', async () => {
    const folder = await folderWith(fileConfig, withPrefix(await stored(model), 'roberta.'));
    await expect(loadRobertaForMaskedLm(folder)).rejects.toThrow('missing: lm_head.dense.weight');
  });
});

describe('robertaConfigFromHuggingFace', () => {
  it('reads the published file', () => {
    const json = {
      architectures: ['RobertaForMaskedLM'],
      attention_probs_dropout_prob: 0.1,
      bos_token_id: 0,
      eos_token_id: 2,
      hidden_act: 'gelu',
      hidden_dropout_prob: 0.1,
      hidden_size: 768,
      initializer_range: 0.02,
      intermediate_size: 3072,
      layer_norm_eps: 1e-5,
      max_position_embeddings: 514,
      model_type: 'roberta',
      num_attention_heads: 12,
      num_hidden_layers: 12,
      pad_token_id: 1,
      type_vocab_size: 1,
      vocab_size: 50265,
    };
    expect(robertaConfigFromHuggingFace(json)).toEqual(robertaConfigs['roberta-base']);
  });
});
