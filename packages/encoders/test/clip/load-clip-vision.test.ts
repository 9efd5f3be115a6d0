import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, ConfigError, closeEngine, openSafetensors, writeSafetensors } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ClipVisionTower,
  clipVisionConfigFromOpenClip,
  clipVisionConfigs,
  interpolateClipResolution,
  loadClipVision,
  loadHighResolutionClip,
  resizeClipVision,
  saveClipVision,
} from '../../src/index.js';

const visionConfig = {
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  image_size: 12,
  patch_size: 4,
};

const structure = {
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 12,
  patchSize: 4,
} as const;

type Tensors = Record<string, { dtype: 'float32'; shape: readonly number[]; data: Float32Array }>;

const extra = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;

let root: string;
let tower: ClipVisionTower;
/** As wide as OpenAI's heads, so that its structure follows from its shapes. */
let wide: ClipVisionTower;

async function folderWith(name: string, config: object | undefined, tensors: Tensors): Promise<string> {
  const folder = await mkdtemp(join(root, name));
  if (config) await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

/** The tensors that {@link saveClipVision} writes in a layout. */
async function stored(module: ClipVisionTower, layout: 'huggingFace' | 'openai'): Promise<Tensors> {
  const folder = await mkdtemp(join(root, 'stored'));
  await saveClipVision(folder, module, { layout });
  const reader = await openSafetensors(join(folder, 'model.safetensors'));
  const tensors: Tensors = {};
  for (const key of reader.keys()) {
    const { shape, data } = await reader.read(key, { as: 'float32' });
    tensors[key] = { dtype: 'float32', shape, data };
  }
  await reader.close();
  return tensors;
}

const weights = () => stored(tower, 'huggingFace');

const withPrefix = (tensors: Tensors, prefix: string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([key, value]) => [prefix + key, value]));

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-clip-'));
  tower = new ClipVisionTower(structure).initialize(5);
  wide = new ClipVisionTower({ ...structure, hiddenSize: 64, intermediateSize: 72, numAttentionHeads: 1 }).initialize(
    6,
  );
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

describe('saveClipVision and loadClipVision', () => {
  it.each([
    ['huggingFace', 'vision_model.encoder.layers.1.self_attn.k_proj.weight', [16, 16], 'config.json'],
    ['openai', 'visual.transformer.resblocks.1.attn.in_proj_weight', [48, 16], 'open_clip_config.json'],
  ] as const)('round-trip in the layout %s', async (layout, key, shape, file) => {
    const folder = join(root, layout);
    await saveClipVision(folder, tower, { layout });
    expect(await readdir(folder)).toEqual([file, 'model.safetensors'].sort());
    expect((await stored(tower, layout))[key]!.shape).toEqual(shape);
    const loaded = await loadClipVision(folder);
    expect(loaded.config).toEqual(tower.config);
    expect(await loaded.state()).toEqual(await tower.state());
  });

  it('packs queries, keys and values one below the other for OpenAI', async () => {
    const [ours, packed] = [await weights(), await stored(tower, 'openai')];
    const rows = ['q', 'k', 'v'].flatMap((name) => [
      ...ours[`vision_model.encoder.layers.0.self_attn.${name}_proj.weight`]!.data,
    ]);
    expect([...packed['visual.transformer.resblocks.0.attn.in_proj_weight']!.data]).toEqual(rows);
  });

  it('refuse a tower that open_clip cannot have, and write nothing then', async () => {
    const other = new ClipVisionTower({ ...structure, hiddenAct: 'relu' });
    const folder = join(root, 'relu');
    await expect(saveClipVision(folder, other, { layout: 'openai' })).rejects.toThrow('hiddenAct relu');
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });
});

describe('loadClipVision', () => {
  it('reads the tower out of a whole CLIP model', async () => {
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

  it("takes a file without configuration for one of OpenAI's, whose structure follows from its shapes", async () => {
    const tensors = { ...(await stored(wide, 'openai')), 'visual.proj': extra, 'transformer.ln_final.bias': extra };
    const file = join(root, 'ViT-tiny.safetensors');
    await writeSafetensors(file, tensors);
    const loaded = await loadClipVision(file);
    expect(loaded.config).toEqual(wide.config);
    expect(loaded.config.hiddenAct).toBe('quick_gelu');
    expect(await loaded.state()).toEqual(await wide.state());
  });

  it("reads ManagerTower's tower, which is under a prefix", async () => {
    const tensors = withPrefix(await stored(wide, 'openai'), 'vit_model.');
    const folder = await folderWith('manager', undefined, {
      ...tensors,
      'vit_model.ln_final.weight': extra,
      'text_transformer.embeddings.LayerNorm.weight': extra,
    });
    expect(await (await loadClipVision(folder)).state()).toEqual(await wide.state());
  });

  it('reads the tower of a LLaVA checkpoint, whose config.json has a name only', async () => {
    const tensors = withPrefix(await stored(wide, 'huggingFace'), 'model.vision_tower.vision_tower.');
    const parts = { ...tensors, 'model.embed_tokens.weight': extra, 'model.mm_projector.0.weight': extra };
    const config = { model_type: 'llava_llama', mm_vision_tower: 'openai/clip-vit-large-patch14-336' };
    const known = await folderWith('llava', config, parts);
    const loaded = await loadClipVision(known);
    expect(loaded.config).toEqual({ ...wide.config, numAttentionHeads: 16 });
    expect(await loaded.state()).toEqual(await wide.state());

    const unknown = await folderWith('llava', { ...config, mm_vision_tower: 'somebody/tower' }, parts);
    await expect(loadClipVision(unknown)).rejects.toThrow('"somebody/tower"');
    expect((await loadClipVision(unknown, { config: wide.config })).config).toEqual(wide.config);
  });

  it('reads the tower of a vision-language model of Hugging Face', async () => {
    const folder = await folderWith(
      'llava-hf',
      { model_type: 'llava', vision_config: { ...visionConfig, model_type: 'clip_vision_model' } },
      { ...withPrefix(await weights(), 'vision_tower.'), 'language_model.model.norm.weight': extra },
    );
    expect(await (await loadClipVision(folder)).state()).toEqual(await tower.state());
  });

  it('asks which one, where there are several', async () => {
    const one = withPrefix(await weights(), 'first.');
    const folder = await folderWith('several', visionConfig, { ...one, ...withPrefix(await weights(), 'second.') });
    await expect(loadClipVision(folder)).rejects.toThrow('2 of them, under "first.", "second."');
    expect(await (await loadClipVision(folder, { prefix: 'second.' })).state()).toEqual(await tower.state());
    await expect(loadClipVision(folder, { prefix: 'third.' })).rejects.toThrow('under "third."');
  });

  it('reports the tensors it has read', async () => {
    const folder = await folderWith('progress', visionConfig, await weights());
    const done: number[] = [];
    await loadClipVision(folder, { onProgress: ({ tensors }) => done.push(tensors.done) });
    expect(done.at(-1)).toBe(Object.keys(tower.namedParameters()).length);
  });

  it('lists what is missing and what is unexpected', async () => {
    const { 'vision_model.pre_layrnorm.weight': norm, ...rest } = await weights();
    const folder = await folderWith('renamed', visionConfig, { ...rest, 'vision_model.pre_layernorm.weight': norm! });
    const loading = loadClipVision(folder);
    await expect(loading).rejects.toThrow('missing: vision_model.pre_layrnorm.weight');
    await expect(loading).rejects.toThrow('unexpected: vision_model.pre_layernorm.weight');
  });

  it('refuses another kind of model, another structure, and a folder without weights', async () => {
    const folder = await folderWith('siglip', { model_type: 'siglip', vision_config: visionConfig }, await weights());
    await expect(loadClipVision(folder)).rejects.toThrow('"siglip"');
    const dropping = await folderWith('dropout', { ...visionConfig, attention_dropout: 0.1 }, await weights());
    await expect(loadClipVision(dropping)).rejects.toThrow('attention_dropout');
    const larger = await folderWith('larger', { ...visionConfig, image_size: 16 }, await weights());
    await expect(loadClipVision(larger)).rejects.toThrow('position_embedding.weight: [10, 16] instead of [17, 16]');
    const none = await folderWith('none', visionConfig, { 'encoder.weight': extra });
    await expect(loadClipVision(none)).rejects.toThrow('one CLIP vision tower');
    await expect(loadClipVision(none)).rejects.toThrow(CheckpointError);
    // 16 wide has no heads of width 64.
    const narrow = await folderWith('narrow', undefined, await weights());
    await expect(loadClipVision(narrow)).rejects.toThrow(ConfigError);
    await expect(loadClipVision(narrow)).rejects.toThrow('Give the configuration');
    await expect(loadClipVision(join(root, 'nowhere'))).rejects.toThrow('nowhere');
    await writeFile(join(narrow, 'config.json'), '{"model_type": ');
    await expect(loadClipVision(narrow)).rejects.toThrow('config.json');
  });
});

describe('clipVisionConfigFromOpenClip', () => {
  const vision = { layers: 24, width: 1024, patch_size: 14, image_size: 336 };

  it('tells the two activations apart and counts heads from their width', () => {
    const parse = (model: object) => clipVisionConfigFromOpenClip({ model_cfg: model });
    expect(parse({ embed_dim: 768, quick_gelu: true, vision_cfg: vision, text_cfg: {} })).toEqual(
      clipVisionConfigs['clip-vit-large-patch14-336'],
    );
    expect(parse({ vision_cfg: { ...vision, head_width: 88, width: 1408, mlp_ratio: 4.3637 } })).toMatchObject({
      hiddenAct: 'gelu',
      numAttentionHeads: 16,
      intermediateSize: 6144,
    });
  });

  it('refuses towers of another make', () => {
    const parse = (more: object) => () =>
      clipVisionConfigFromOpenClip({ model_cfg: { vision_cfg: { ...vision, ...more } } });
    expect(parse({ timm_model_name: 'convnext_large' })).toThrow('timm_model_name');
    expect(parse({ ls_init_value: 0.1 })).toThrow('ls_init_value');
    expect(parse({ image_size: [336, 224] })).toThrow('square');
    expect(() => clipVisionConfigFromOpenClip({})).toThrow('model_cfg');
  });
});

describe('loadHighResolutionClip', () => {
  it('has the weights of the published tower', async () => {
    const folder = join(root, 'high');
    await saveClipVision(folder, tower);
    const loaded = await loadHighResolutionClip(folder, { inputSize: 20 });
    expect(loaded.config).toEqual({ type: 'clip-high-resolution', vision: tower.config, inputSize: 20 });
    expect(loaded.featureGrid()).toEqual([5, 5]);
    expect(await loaded.vision_tower.state()).toEqual(await tower.state());
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

describe('resizeClipVision', () => {
  it('enlarges and shrinks, and keeps everything else', async () => {
    const key = 'vision_model.embeddings.position_embedding.weight';
    for (const [size, patches] of [
      [24, 36],
      [8, 4],
    ] as const) {
      const resized = await resizeClipVision(tower, size);
      expect(resized.config).toEqual({ ...tower.config, imageSize: size });
      const [before, after] = [await tower.state(), await resized.state()];
      expect(after[key]!.shape).toEqual([1 + patches, 16]);
      for (const name of Object.keys(before)) if (name !== key) expect(after[name]).toEqual(before[name]);
    }
  });

  it("has MoAI's half precision in all positions but that of the class token", async () => {
    const key = 'vision_model.embeddings.position_embedding.weight';
    const [exact, rounded] = [
      (await (await resizeClipVision(tower, 20)).state())[key]!.data as Float32Array,
      (await (await resizeClipVision(tower, 20, { halfPrecision: true })).state())[key]!.data as Float32Array,
    ];
    expect([...rounded.slice(0, 16)]).toEqual([...exact.slice(0, 16)]);
    let largest = 0;
    for (const [index, value] of rounded.entries()) {
      if (index >= 16) expect(Math.abs((value * 2 ** 24) % 1)).toBe(0);
      largest = Math.max(largest, Math.abs(value - exact[index]!));
    }
    expect(largest).toBeGreaterThan(1e-7);
    expect(largest).toBeLessThan(1e-4);
    await expect(resizeClipVision(tower, 20, { halfPrecision: true, antialias: true })).rejects.toThrow('both');
  });
});
