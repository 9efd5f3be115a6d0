import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, ConfigError, closeEngine, openSafetensors, writeSafetensors } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convNextConfigFromWeights } from '../../src/convnext/config-from-weights.js';
import {
  addConvNextStage,
  type ConvNextConfigInput,
  type ConvNextLayoutName,
  ConvNextTower,
  convNextConfigFromTimm,
  convNextConfigs,
  convNextKeyMap,
  loadConvNext,
  loadEncoder,
  saveConvNext,
} from '../../src/index.js';

const structure = { depths: [1, 2], hiddenSizes: [4, 6], imageSize: 32 };

type Tensors = Record<string, { dtype: 'float32'; shape: readonly number[]; data: Float32Array }>;

let root: string;
let tower: ConvNextTower;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-convnext-'));
  tower = new ConvNextTower(structure).initialize(5);
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

/** The tensors that {@link saveConvNext} writes in a layout. */
async function stored(layout: ConvNextLayoutName): Promise<Tensors> {
  const folder = await mkdtemp(join(root, 'stored'));
  await saveConvNext(folder, tower, { layout });
  const reader = await openSafetensors(join(folder, 'model.safetensors'));
  const tensors: Tensors = {};
  for (const key of reader.keys()) {
    const { shape, data } = await reader.read(key, { as: 'float32' });
    tensors[key] = { dtype: 'float32', shape, data };
  }
  await reader.close();
  return tensors;
}

async function folderWith(tensors: Tensors, files: Record<string, object> = {}, name = 'model.safetensors') {
  const folder = await mkdtemp(join(root, 'folder'));
  await mkdir(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), JSON.stringify(content));
  await writeSafetensors(join(folder, name), tensors);
  return folder;
}

const renamed = (tensors: Tensors, rename: (key: string) => string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([key, value]) => [rename(key), value]));

const extra = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;

const huggingFaceConfig = {
  model_type: 'convnext',
  num_stages: 2,
  depths: [1, 2],
  hidden_sizes: [4, 6],
  layer_norm_eps: 1e-12,
  image_size: 32,
};

describe('saveConvNext and loadConvNext', () => {
  it.each([
    ['huggingFace', 'encoder.stages.1.layers.0.layer_scale_parameter', 'embeddings.patch_embeddings.weight'],
    ['timm', 'stages.1.blocks.0.gamma', 'stem.0.weight'],
    ['openClip', 'visual.trunk.stages.1.blocks.0.gamma', 'visual.trunk.stem.0.weight'],
    ['eagle', 'stages.1.blocks.0.weight', 'stem.0.weight'],
    ['facebook', 'stages.1.0.gamma', 'downsample_layers.0.0.weight'],
  ] as const)('round-trip in the layout %s', async (layout, scale, stem) => {
    const folder = join(root, layout);
    await saveConvNext(folder, tower, { layout });
    const reader = await openSafetensors(join(folder, 'model.safetensors'));
    expect(reader.keys()).toHaveLength(Object.keys(tower.namedParameters()).length);
    expect(reader.info(scale).shape).toEqual([6]);
    expect(reader.info(stem).shape).toEqual([4, 3, 4, 4]);
    await reader.close();

    for (const loaded of [await loadConvNext(folder), (await loadEncoder(folder)) as ConvNextTower]) {
      expect(loaded).toBeInstanceOf(ConvNextTower);
      expect(loaded.config).toEqual(tower.config);
      expect(await loaded.state()).toEqual(await tower.state());
    }
  });

  it('round-trip a fifth stage as Hugging Face has it', async () => {
    const expanded = addConvNextStage(tower, { depth: 1, width: 10 });
    const folder = join(root, 'expanded');
    await saveConvNext(folder, expanded, { dtype: 'bfloat16', maxShardBytes: 4096 });
    expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toMatchObject({
      model_type: 'convnext',
      num_stages: 3,
      depths: [1, 2, 1],
      hidden_sizes: [4, 6, 10],
      stage_names: ['stem', 'stage1', 'stage2', 'stage3'],
      out_features: ['stage3'],
      out_indices: [3],
    });
    const loaded = await loadConvNext(folder);
    expect(loaded.config).toEqual(expanded.config);
    const name = 'encoder.stages.2.layers.0.pwconv1.weight';
    const [before, after] = [await expanded.state(), await loaded.state()];
    for (const [index, value] of (after[name]!.data as Float32Array).entries()) {
      expect(Math.abs(value - (before[name]!.data[index] as number))).toBeLessThanOrEqual(
        0.004 * Math.abs(value) + 1e-9,
      );
    }
  });
});

describe('loadConvNext', () => {
  it('reads a classifier of Hugging Face, without norm and head', async () => {
    const tensors = renamed(await stored('huggingFace'), (key) => `convnext.${key}`);
    const folder = await folderWith(
      { ...tensors, 'convnext.layernorm.weight': extra, 'classifier.weight': extra },
      { 'config.json': { ...huggingFaceConfig, architectures: ['ConvNextForImageClassification'] } },
    );
    const loaded = await loadConvNext(folder);
    expect(loaded.config).toEqual(tower.config);
    expect(await loaded.state()).toEqual(await tower.state());
  });

  it('reads the image side of a model of open_clip', async () => {
    const folder = await folderWith(
      {
        ...(await stored('openClip')),
        'visual.trunk.head.norm.weight': extra,
        'visual.head.proj.weight': extra,
        logit_scale: extra,
      },
      {
        'open_clip_config.json': {
          model_cfg: {
            embed_dim: 8,
            vision_cfg: { timm_model_name: 'convnext_large', timm_drop_path: 0.1, image_size: 320 },
          },
        },
      },
      'open_clip_model.safetensors',
    );
    // The file describes ConvNeXt-L: its structure is what the tensors are checked against.
    await expect(loadConvNext(folder)).rejects.toThrow(
      'visual.trunk.stem.0.weight: [4, 3, 4, 4] instead of [192, 3, 4, 4]',
    );
    const loaded = await loadConvNext(folder, { config: structure });
    expect(await loaded.state()).toEqual(await tower.state());
  });

  it('reads linear layers stored as 1 × 1 convolutions', async () => {
    const tensors = Object.entries(await stored('timm')).map(([key, value]) => {
      return [key, /fc\d\.weight$/.test(key) ? { ...value, shape: [...value.shape, 1, 1] } : value] as const;
    });
    const args = { depths: [1, 2], dims: [4, 6], conv_mlp: true };
    const folder = await folderWith(Object.fromEntries(tensors), {
      'config.json': { architecture: 'convnext_nano', model_args: args },
    });
    const loaded = await loadConvNext(folder);
    expect(await loaded.state()).toEqual(await tower.state());
  });

  it('finds a tower in a vision-language model, by its prefix where there are two', async () => {
    const prefix = 'model.vision_tower.vision_towers.1.vision_tower.';
    const tensors = renamed(await stored('eagle'), (key) => `${prefix}${key}`);
    const folder = await folderWith(
      { ...tensors, [`${prefix}head.fc.weight`]: extra, 'lm_head.weight': extra },
      {
        'config.json': { model_type: 'eagle_llama', mm_vision_tower: 'clip-448;convnext-1024' },
      },
    );
    const loaded = await loadConvNext(folder, { config: structure });
    expect(await loaded.state()).toEqual(await tower.state());
    await expect(loadConvNext(folder)).rejects.toThrow('depths 1, 2 of widths 4, 6');

    const twice = await folderWith({ ...tensors, ...(await stored('huggingFace')) });
    await expect(loadConvNext(twice, { config: structure })).rejects.toThrow(`"", "${prefix}"`);
    expect(await (await loadConvNext(twice, { config: structure, prefix })).state()).toEqual(await tower.state());
  });

  it('takes a file without any configuration for the published tower of its shapes', async () => {
    // What the structure is read from; the other tensors are missing.
    const { depths, hiddenSizes } = convNextConfigs['clip-convnext-xxlarge'];
    const zeros = (...shape: number[]) =>
      ({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((product, size) => product * size)) }) as const;
    const kernels = depths.flatMap((depth, stage) =>
      Array.from({ length: depth }, (_, block) => {
        return [`stages.${stage}.blocks.${block}.conv_dw.weight`, zeros(hiddenSizes[stage]!, 1, 7, 7)] as const;
      }),
    );
    const folder = await folderWith({ ...Object.fromEntries(kernels), 'stem.0.weight': zeros(384, 3, 4, 4) });
    const loading = loadConvNext(join(folder, 'model.safetensors'));
    await expect(loading).rejects.toThrow('missing: embeddings.patch_embeddings.bias');
    await expect(loading).rejects.not.toThrow('of another shape');
    const reader = await openSafetensors(join(folder, 'model.safetensors'));
    const config = convNextConfigFromWeights('test', reader, convNextKeyMap('timm'));
    await reader.close();
    expect(config).toEqual({ ...convNextConfigs['clip-convnext-xxlarge'], dropPathRate: 0 });
  });

  it('lists what is missing and what is unexpected', async () => {
    const { 'encoder.stages.1.layers.1.layer_scale_parameter': scale, ...rest } = await stored('huggingFace');
    const folder = await folderWith(
      { ...rest, 'encoder.stages.1.layers.1.grn.weight': scale! },
      { 'config.json': huggingFaceConfig },
    );
    const loading = loadConvNext(folder);
    await expect(loading).rejects.toThrow(CheckpointError);
    await expect(loading).rejects.toThrow('missing: encoder.stages.1.layers.1.layer_scale_parameter');
    await expect(loading).rejects.toThrow('unexpected: encoder.stages.1.layers.1.grn.weight');
  });

  it('refuses a folder without a tower, and a description of another network', async () => {
    const empty = await folderWith({ 'lm_head.weight': extra }, { 'config.json': huggingFaceConfig });
    await expect(loadConvNext(empty)).rejects.toThrow('such as lm_head.weight');
    const tensors = await stored('huggingFace');
    const second = await folderWith(tensors, { 'config.json': { ...huggingFaceConfig, model_type: 'convnextv2' } });
    await expect(loadConvNext(second)).rejects.toThrow(ConfigError);
    const uneven = await folderWith(tensors, { 'config.json': { ...huggingFaceConfig, num_stages: 4 } });
    await expect(loadConvNext(uneven)).rejects.toThrow('depths of 4 stages');
    await expect(loadConvNext(join(root, 'nowhere'))).rejects.toThrow('nowhere');
  });
});

describe('saveConvNext', () => {
  it('refuses what the library of the layout cannot be told, and writes nothing', async () => {
    const folder = join(root, 'refused');
    const towerWith = (config: ConvNextConfigInput) => new ConvNextTower({ ...structure, ...config });
    await expect(saveConvNext(folder, towerWith({ layerNormEps: 1e-5 }))).rejects.toThrow('layerNormEps 0.00001');
    await expect(saveConvNext(folder, towerWith({ hiddenAct: 'mish' }), { layout: 'timm' })).rejects.toThrow('"mish"');
    await expect(readFile(join(folder, 'config.json'))).rejects.toThrow('ENOENT');
  });

  it('writes behind a prefix', async () => {
    const folder = join(root, 'prefixed');
    await saveConvNext(folder, tower, { layout: 'timm', prefix: 'backbone.' });
    const reader = await openSafetensors(join(folder, 'model.safetensors'));
    expect(reader.keys().every((key) => key.startsWith('backbone.'))).toBe(true);
    await reader.close();
    expect(await (await loadConvNext(folder)).state()).toEqual(await tower.state());
    expect(convNextConfigFromTimm(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')))).toEqual(
      tower.config,
    );
  });
});
