import { rm } from 'node:fs/promises';
import { closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  EaglePix2StructTower,
  loadEaglePix2Struct,
  loadEncoder,
  loadPix2StructVision,
  Pix2StructVisionEncoder,
} from '../../src/index.js';
import { foreign, weightsOf, writeCheckpoint } from '../write-checkpoint.js';

const visionConfig = {
  hidden_size: 8,
  patch_embed_hidden_size: 12,
  d_ff: 12,
  d_kv: 4,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  seq_len: 16,
  patch_size: 2,
};
const encoder = new Pix2StructVisionEncoder({
  hiddenSize: 8,
  patchEmbedHiddenSize: 12,
  intermediateSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  headDim: 4,
  sequenceLength: 16,
  patchSize: 2,
}).initialize(5);
const folders: string[] = [];

async function folderWith(...args: Parameters<typeof writeCheckpoint>): Promise<string> {
  const folder = await writeCheckpoint(...args);
  folders.push(folder);
  return folder;
}

const wholeModel = async () =>
  folderWith(
    {
      ...(await weightsOf(encoder, (name) => `encoder.${name}`)),
      'decoder.embed_tokens.weight': foreign,
      'decoder.layer.0.mlp.layer_norm.weight': foreign,
      'decoder.lm_head.weight': foreign,
    },
    { model_type: 'pix2struct', vision_config: visionConfig },
  );

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  await closeEngine();
});

describe('loadPix2StructVision', () => {
  it('reads the encoder out of a whole model, or alone', async () => {
    const whole = await wholeModel();
    const alone = await folderWith(await weightsOf(encoder), {
      model_type: 'pix2struct_vision_model',
      ...visionConfig,
    });
    for (const loaded of [
      await loadPix2StructVision(whole),
      await loadPix2StructVision(alone),
      await loadEncoder(whole),
      await loadEncoder(alone),
    ]) {
      expect(loaded.config).toEqual(encoder.config);
      expect(await loaded.state()).toEqual(await encoder.state());
    }
  });

  it('takes the structure from the shapes where no configuration has it', async () => {
    const published = new Pix2StructVisionEncoder({ ...encoder.config, headDim: 64 }).initialize(2);
    const prefix = 'model.vision_tower.vision_towers.4.vision_tower.';
    const folder = await folderWith(
      { ...(await weightsOf(published, (name) => prefix + name)), 'model.mm_projector.0.weight': foreign },
      { model_type: 'eagle_llama' },
    );
    const loaded = await loadPix2StructVision(folder);
    expect(loaded.config).toEqual(published.config);
    expect(await loaded.state()).toEqual(await published.state());
  });

  it('lists what is missing and what is unexpected', async () => {
    const { 'layernorm.weight': norm, ...rest } = await weightsOf(encoder);
    const folder = await folderWith({ ...rest, 'layernorm.gain': norm! }, visionConfig);
    const loading = loadPix2StructVision(folder, { config: encoder.config });
    await expect(loading).rejects.toThrow('missing: layernorm.weight');
    await expect(loading).rejects.toThrow('unexpected: layernorm.gain');
  });

  it('refuses a file without such an encoder', async () => {
    await expect(loadPix2StructVision(await folderWith({ other: foreign }))).rejects.toThrow('patch_projection');
  });
});

describe('loadEaglePix2Struct', () => {
  it("puts Eagle's tower around the encoder of a whole model", async () => {
    const tower = await loadEaglePix2Struct(await wholeModel(), { outputGrid: 4 });
    expect(tower.config).toMatchObject({ outputGrid: 4, imageSize: 1024, vision: encoder.config });
    expect(await tower.vision_tower.state()).toEqual(await encoder.state());
  });

  it('is read with its configuration as this package writes it', async () => {
    const tower = new EaglePix2StructTower({ vision: encoder.config, outputGrid: 4 }).initialize(3);
    const loaded = await loadEncoder(await folderWith(await weightsOf(tower), tower.config));
    expect(loaded.config).toEqual(tower.config);
    expect(await loaded.state()).toEqual(await tower.state());
  });
});
