import { rm } from 'node:fs/promises';
import { closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { loadEncoder, loadSamVision, parseSamVisionConfig, SamVisionEncoder } from '../../src/index.js';
import { foreign, weightsOf, writeCheckpoint } from '../write-checkpoint.js';

const sizes = {
  hiddenSize: 8,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 16,
  patchSize: 4,
  windowSize: 2,
  globalAttentionIndexes: [1],
  outputChannels: 3,
} as const;
const file = {
  model_type: 'sam',
  vision_config: {
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    image_size: 16,
    patch_size: 4,
    window_size: 2,
    global_attn_indexes: [1],
    output_channels: 3,
  },
};
const own = new SamVisionEncoder(sizes).initialize(5);
const eagle = new SamVisionEncoder({ ...sizes, neck: 'short', pixelUnshuffle: 2 }).initialize(6);
const folders: string[] = [];

async function folderWith(...args: Parameters<typeof writeCheckpoint>): Promise<string> {
  const folder = await writeCheckpoint(...args);
  folders.push(folder);
  return folder;
}

const wholeModel = async () =>
  folderWith(
    {
      ...(await weightsOf(own, (name) => `vision_encoder.${name}`)),
      'shared_image_embedding.positional_embedding': foreign,
      'prompt_encoder.no_mask_embed.weight': foreign,
      'mask_decoder.transformer.layers.0.layer_norm1.weight': foreign,
    },
    file,
  );

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  await closeEngine();
});

describe('loadSamVision', () => {
  it('reads the encoder out of a whole SAM model', async () => {
    const folder = await wholeModel();
    for (const loaded of [await loadSamVision(folder), await loadEncoder(folder)]) {
      expect(loaded.config).toEqual(own.config);
      expect(await loaded.state()).toEqual(await own.state());
    }
  });

  it("puts Eagle's neck behind it, which starts from a seed", async () => {
    const folder = await wholeModel();
    const config = eagle.config;
    const [loaded, same, other] = await Promise.all([3, 3, 4].map((seed) => loadSamVision(folder, { config, seed })));
    const [a, b, c, stored] = await Promise.all([loaded!, same!, other!, own].map((encoder) => encoder.state()));
    expect(a).toEqual(b);
    expect(a!['layers.1.attn.qkv.weight']).toEqual(stored!['layers.1.attn.qkv.weight']);
    expect(a!['neck.conv1.weight']).not.toEqual(stored!['neck.conv1.weight']);
    expect(a!['neck.conv1.weight']).not.toEqual(c!['neck.conv1.weight']);
  });

  it('reads structure and neck out of a checkpoint of Eagle', async () => {
    const prefix = 'model.vision_tower.vision_towers.2.vision_tower.';
    const folder = await folderWith(
      {
        ...(await weightsOf(eagle, (name) => prefix + name)),
        'model.layers.0.self_attn.q_proj.weight': foreign,
        'model.mm_projector.0.weight': foreign,
      },
      { model_type: 'eagle_llama', mm_vision_tower: 'clip-448;convnext-1024;sam-1024' },
    );
    const loaded = await loadSamVision(folder, { prefix });
    expect(loaded.config).toEqual(eagle.config);
    expect(await loaded.state()).toEqual(await eagle.state());
  });

  it('reads what this package writes, with its configuration', async () => {
    const folder = await folderWith(await weightsOf(eagle), eagle.config);
    for (const loaded of [await loadEncoder(folder), await loadSamVision(folder)]) {
      expect(loaded.config).toEqual(eagle.config);
      expect(await loaded.state()).toEqual(await eagle.state());
    }
  });

  it('tells windows from global attention by the shapes', async () => {
    const config = parseSamVisionConfig({
      ...sizes,
      numHiddenLayers: 3,
      globalAttentionIndexes: [0, 2],
      windowSize: 3,
    });
    const encoder = new SamVisionEncoder(config).initialize(1);
    const folder = await folderWith(await weightsOf(encoder));
    expect((await loadSamVision(folder)).config).toEqual(config);
  });

  it('lists what is missing and what is unexpected', async () => {
    const { 'layers.0.attn.rel_pos_w': table, ...rest } = await weightsOf(own);
    const folder = await folderWith({ ...rest, 'layers.0.attn.rel_pos': table! }, file);
    await expect(loadSamVision(folder)).rejects.toThrow('missing: layers.0.attn.rel_pos_w');
    await expect(loadSamVision(folder)).rejects.toThrow('unexpected: layers.0.attn.rel_pos');
    const noNeck = await folderWith(await weightsOf(eagle), file);
    await expect(loadSamVision(noNeck)).rejects.toThrow('neck.conv2.weight');
  });

  it('refuses a file without such an encoder', async () => {
    await expect(loadSamVision(await folderWith({ other: foreign }))).rejects.toThrow('rel_pos_h');
  });
});
