import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { Eva02VisionEncoder, loadEncoder, loadEva02Vision, parseEva02VisionConfig } from '../../src/index.js';
import { foreign, weightsOf, writeCheckpoint } from '../write-checkpoint.js';

const config = parseEva02VisionConfig({
  hiddenSize: 8,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 16,
  patchSize: 4,
  windowSize: 2,
  pretrainImageSize: 8,
});
const encoder = new Eva02VisionEncoder(config).initialize(5);
const folders: string[] = [];

async function folderWith(...args: Parameters<typeof writeCheckpoint>): Promise<string> {
  const folder = await writeCheckpoint(...args);
  folders.push(folder);
  return folder;
}

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  await closeEngine();
});

describe('loadEva02Vision', () => {
  it('reads the encoder out of a detector, whose rotary tables are those of another size', async () => {
    const folder = await folderWith({
      ...(await weightsOf(encoder, (name) => `backbone.net.${name}`)),
      'backbone.net.rope_glb.freqs_cos': foreign,
      'backbone.net.blocks.0.attn.rope.freqs_sin': foreign,
      'backbone.simfp_2.0.weight': foreign,
      'roi_heads.box_head.0.fc1.weight': foreign,
    });
    const loaded = await loadEva02Vision(folder, { config });
    expect(await loaded.state()).toEqual(await encoder.state());
  });

  it('reads the encoder out of a checkpoint of Eagle, or alone', async () => {
    const prefix = 'model.vision_tower.vision_towers.3.vision_tower.';
    const eagle = await folderWith(
      {
        ...(await weightsOf(encoder, (name) => prefix + name)),
        [`${prefix}rope_win.freqs_cos`]: foreign,
        'model.mm_projector.0.weight': foreign,
        'model.layers.0.mlp.up_proj.weight': foreign,
      },
      { model_type: 'eagle_llama' },
    );
    const alone = await folderWith(await weightsOf(encoder), config);
    for (const loaded of [
      await loadEva02Vision(eagle, { config, prefix }),
      await loadEva02Vision(join(alone, 'model.safetensors'), { config }),
      await loadEncoder(alone),
    ]) {
      expect(await loaded.state()).toEqual(await encoder.state());
    }
  });

  it('takes a folder without a configuration for the published encoder', async () => {
    const folder = await folderWith(await weightsOf(encoder));
    await expect(loadEva02Vision(folder)).rejects.toThrow('of another shape');
    await expect(loadEncoder(folder)).rejects.toThrow('1024');
  });

  it('lists what is missing and what is unexpected', async () => {
    const { 'blocks.1.norm1.weight': norm, ...rest } = await weightsOf(encoder);
    const folder = await folderWith({ ...rest, 'blocks.1.norm.weight': norm! });
    const loading = loadEva02Vision(folder, { config });
    await expect(loading).rejects.toThrow('missing: blocks.1.norm1.weight');
    await expect(loading).rejects.toThrow('unexpected: blocks.1.norm.weight');
  });

  it('refuses a file without such an encoder, and one with two', async () => {
    await expect(loadEva02Vision(await folderWith({ other: foreign }), { config })).rejects.toThrow('ffn_ln');
    const two = await folderWith({
      ...(await weightsOf(encoder, (name) => `a.${name}`)),
      ...(await weightsOf(encoder, (name) => `b.${name}`)),
    });
    await expect(loadEva02Vision(two, { config })).rejects.toThrow('prefix');
    expect(await (await loadEva02Vision(two, { config, prefix: 'b.' })).state()).toEqual(await encoder.state());
  });
});
