import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine, type TensorSources, writeSafetensors } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClipVisionTower, interpolateClipResolution, loadClipVision } from '../../src/index.js';

const visionConfig = {
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  image_size: 12,
  patch_size: 4,
};

let root: string;
let tower: ClipVisionTower;

async function folderWith(name: string, config: object, tensors: TensorSources): Promise<string> {
  const folder = await mkdtemp(join(root, name));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

async function weights(): Promise<Record<string, { dtype: 'float32'; shape: readonly number[]; data: Float32Array }>> {
  const state = await tower.state();
  return Object.fromEntries(
    Object.entries(state).map(([name, { shape, data }]) => [
      name,
      { dtype: 'float32', shape, data: data as Float32Array },
    ]),
  );
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-clip-'));
  tower = new ClipVisionTower({
    hiddenSize: 16,
    intermediateSize: 24,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    imageSize: 12,
    patchSize: 4,
  }).initialize(5);
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

describe('loadClipVision', () => {
  it('reads the tower out of a whole CLIP model', async () => {
    const extra = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;
    const folder = await folderWith(
      'whole',
      { model_type: 'clip', projection_dim: 8, vision_config: visionConfig },
      {
        ...(await weights()),
        'text_model.embeddings.token_embedding.weight': extra,
        'visual_projection.weight': extra,
        logit_scale: extra,
        'vision_model.embeddings.position_ids': extra,
      },
    );
    const loaded = await loadClipVision(folder);
    expect(loaded.config).toEqual(tower.config);
    expect(await loaded.state()).toEqual(await tower.state());
  });

  it('lists what is missing and what is unexpected', async () => {
    const { 'vision_model.pre_layrnorm.weight': norm, ...rest } = await weights();
    const folder = await folderWith('renamed', visionConfig, { ...rest, 'vision_model.pre_layernorm.weight': norm! });
    const loading = loadClipVision(folder);
    await expect(loading).rejects.toThrow('missing: vision_model.pre_layrnorm.weight');
    await expect(loading).rejects.toThrow('unexpected: vision_model.pre_layernorm.weight');
  });

  it('refuses another kind of model, and a folder without config', async () => {
    const folder = await folderWith('siglip', { model_type: 'siglip', vision_config: visionConfig }, await weights());
    await expect(loadClipVision(folder)).rejects.toThrow('"siglip"');
    const dropping = await folderWith('dropout', { ...visionConfig, attention_dropout: 0.1 }, await weights());
    await expect(loadClipVision(dropping)).rejects.toThrow('attention_dropout');
    await expect(loadClipVision(join(root, 'nowhere'))).rejects.toThrow('config.json');
  });
});

describe('interpolateClipResolution', () => {
  it('enlarges the position table and keeps everything else', async () => {
    const enlarged = await interpolateClipResolution(tower, 24);
    expect(enlarged.config.imageSize).toBe(24);
    const [before, after] = [await tower.state(), await enlarged.state()];
    const key = 'vision_model.embeddings.position_embedding.weight';
    expect(after[key]!.shape).toEqual([1 + 36, 16]);
    expect([...after[key]!.data.slice(0, 16)]).toEqual([...before[key]!.data.slice(0, 16)]);
    for (const name of Object.keys(before)) if (name !== key) expect(after[name]).toEqual(before[name]);
  });

  it('refuses to shrink', async () => {
    await expect(interpolateClipResolution(tower, 8)).rejects.toThrow('at least 12');
  });
});
