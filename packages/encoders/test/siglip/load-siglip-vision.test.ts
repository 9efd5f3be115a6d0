import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CheckpointError,
  type CheckpointReader,
  ConfigError,
  closeEngine,
  openSafetensors,
  writeSafetensors,
} from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSiglipVision, SiglipVisionTower, saveSiglipVision, siglipVisionConfigs } from '../../src/index.js';
import { siglipVisionConfigFromWeights } from '../../src/siglip/config-from-weights.js';

const visionConfig = {
  model_type: 'siglip_vision_model',
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  image_size: 14,
  patch_size: 4,
};

type Tensors = Record<string, { dtype: 'float32'; shape: readonly number[]; data: Float32Array }>;

const extra = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;

let root: string;
let tower: SiglipVisionTower;

async function folderWith(config: object | undefined, tensors: Tensors): Promise<string> {
  const folder = await mkdtemp(join(root, 'folder'));
  if (config) await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

async function stored(module: SiglipVisionTower = tower): Promise<Tensors> {
  const folder = await mkdtemp(join(root, 'stored'));
  await saveSiglipVision(folder, module);
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

/** Of a module, those parameters that another one has too. */
async function sharedState(module: SiglipVisionTower, other: SiglipVisionTower): Promise<object> {
  const state = await module.state();
  return Object.fromEntries(Object.keys(other.namedParameters()).map((name) => [name, state[name]]));
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-siglip-'));
  tower = new SiglipVisionTower({
    hiddenSize: 16,
    intermediateSize: 24,
    numHiddenLayers: 3,
    numAttentionHeads: 2,
    imageSize: 14,
    patchSize: 4,
  }).initialize(5);
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

describe('loadSiglipVision', () => {
  it('reads what saveSiglipVision writes', async () => {
    const folder = join(root, 'saved');
    await saveSiglipVision(folder, tower);
    const loaded = await loadSiglipVision(folder);
    expect(loaded.config).toEqual(tower.config);
    expect(await loaded.state()).toEqual(await tower.state());
  });

  it('reads the tower out of a whole SigLIP model', async () => {
    const folder = await folderWith(
      { model_type: 'siglip', text_config: {}, vision_config: visionConfig },
      { ...(await stored()), 'text_model.head.weight': extra, logit_scale: extra, logit_bias: extra },
    );
    expect(await (await loadSiglipVision(folder)).state()).toEqual(await tower.state());
  });

  it('leaves out the last block and the head for LLaVA-NeXT', async () => {
    const folder = await folderWith(visionConfig, await stored());
    const loaded = await loadSiglipVision(folder, { numHiddenLayers: 2, visionUseHead: false });
    expect(loaded.config).toEqual({ ...tower.config, numHiddenLayers: 2, visionUseHead: false });
    expect(await loaded.state()).toEqual(await sharedState(tower, loaded));
    await expect(loadSiglipVision(folder, { numHiddenLayers: 4 })).rejects.toThrow('encoder.layers.3.');
  });

  it('reads the tower of a LLaVA-OneVision checkpoint, which has 26 blocks and no head', async () => {
    const llava = new SiglipVisionTower({
      hiddenSize: 16,
      intermediateSize: 8,
      numHiddenLayers: 2,
      numAttentionHeads: 16,
      imageSize: 384,
      patchSize: 14,
      visionUseHead: false,
    }).initialize(7);
    const tensors = withPrefix(await stored(llava), 'model.vision_tower.vision_tower.');
    const config = { model_type: 'llava_qwen', mm_vision_tower: 'google/siglip-so400m-patch14-384' };
    const folder = await folderWith(config, { ...tensors, 'model.image_newline': extra });
    const loaded = await loadSiglipVision(folder);
    expect(loaded.config).toEqual(llava.config);
    expect(await loaded.state()).toEqual(await llava.state());
    const unknown = await folderWith({ ...config, mm_vision_tower: 'somebody/tower' }, tensors);
    await expect(loadSiglipVision(unknown)).rejects.toThrow('"somebody/tower"');
  });

  it('knows a published tower by its shapes, where no file tells the structure', () => {
    const published = siglipVisionConfigs['siglip-so400m-patch14-384'];
    const parameters = new SiglipVisionTower({ ...published, numHiddenLayers: 26, visionUseHead: false });
    const shapes = new Map(Object.entries(parameters.namedParameters()).map(([name, { shape }]) => [name, { shape }]));
    const reader = {
      keys: () => [...shapes.keys()],
      has: (name: string) => shapes.has(name),
      info: (name: string) => shapes.get(name),
    } as unknown as CheckpointReader;
    expect(siglipVisionConfigFromWeights('load', reader, { prefix: '', keyMap: { rules: [] } })).toEqual(
      parameters.config,
    );
  });

  it('refuses what it cannot tell, another kind of model, and what does not fit', async () => {
    const bare = await folderWith(undefined, await stored());
    await expect(loadSiglipVision(bare)).rejects.toThrow(ConfigError);
    await expect(loadSiglipVision(bare)).rejects.toThrow('Give the configuration');
    expect((await loadSiglipVision(bare, { config: tower.config })).config).toEqual(tower.config);
    const clip = await folderWith({ ...visionConfig, model_type: 'clip_vision_model' }, await stored());
    await expect(loadSiglipVision(clip)).rejects.toThrow('"clip_vision_model"');
    const none = await folderWith(visionConfig, { 'vision_model.embeddings.class_embedding': extra });
    await expect(loadSiglipVision(none)).rejects.toThrow(CheckpointError);
    const { 'vision_model.head.probe': probe, ...rest } = await stored();
    const renamed = await folderWith(visionConfig, { ...rest, 'vision_model.head.query': probe! });
    await expect(loadSiglipVision(renamed)).rejects.toThrow(
      'missing: vision_model.head.probe | unexpected: vision_model.head.query',
    );
    const headless = await folderWith({ ...visionConfig, vision_use_head: false }, await stored());
    await expect(loadSiglipVision(headless)).rejects.toThrow('unexpected: vision_model.head.probe');
  });
});
