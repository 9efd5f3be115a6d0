import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, closeEngine, saveWeights, writeSafetensors } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  ClipVisionTower,
  createEncoder,
  encoders,
  HighResolutionClipTower,
  loadEncoder,
  SiglipVisionTower,
  saveClipVision,
  saveSiglipVision,
} from '../src/index.js';

const structure = {
  hiddenSize: 64,
  intermediateSize: 24,
  numHiddenLayers: 1,
  numAttentionHeads: 1,
  imageSize: 8,
  patchSize: 4,
} as const;

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-encoders-'));
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

describe('createEncoder', () => {
  it('creates the encoder that the type names', () => {
    const clip = createEncoder({ type: 'clip', ...structure });
    expect(clip).toBeInstanceOf(ClipVisionTower);
    expectTypeOf(clip).toEqualTypeOf<ClipVisionTower>();
    expect(createEncoder({ type: 'siglip', ...structure })).toBeInstanceOf(SiglipVisionTower);
    expect(createEncoder({ type: 'clip-high-resolution', vision: structure })).toBeInstanceOf(HighResolutionClipTower);
  });

  it('creates the same encoder again from its configuration, for every type', () => {
    // A graph has to be somewhere: see onnx/.
    const types = Object.keys(encoders).filter((type) => type !== 'onnx') as Exclude<keyof typeof encoders, 'onnx'>[];
    for (const type of types) {
      const encoder = createEncoder({ type });
      expect(encoder.config.type).toBe(type);
      const copy = createEncoder(JSON.parse(JSON.stringify(encoder.config)) as typeof encoder.config);
      expect(copy.config).toEqual(encoder.config);
      expect(copy.parameterCount()).toBe(encoder.parameterCount());
      expect(encoder.width).toBeGreaterThan(0);
      expect(encoder.featureGrid()).toHaveLength(2);
    }
  });

  it('lists the known types where one is unknown', () => {
    expect(() => createEncoder({ type: 'resnet' as 'clip' })).toThrow(ConfigError);
    expect(() => createEncoder({ type: 'resnet' as 'clip' })).toThrow(Object.keys(encoders).join(', '));
    expect(() => createEncoder({ type: 'toString' as 'clip' })).toThrow('"toString"');
    expect(() => createEncoder({ type: 'clip', imageSizes: 3 } as { type: 'clip' })).toThrow('"imageSizes"');
  });
});

describe('loadEncoder', () => {
  it('goes by the model type', async () => {
    const clip = new ClipVisionTower(structure).initialize(1);
    await saveClipVision(join(root, 'clip'), clip);
    const siglip = new SiglipVisionTower(structure).initialize(2);
    await saveSiglipVision(join(root, 'siglip'), siglip);
    for (const [name, tower] of Object.entries({ clip, siglip })) {
      const loaded = await loadEncoder(join(root, name));
      expect(loaded.config).toEqual(tower.config);
      expect(await loaded.state()).toEqual(await tower.state());
    }
  });

  it('goes by the names of the tensors where there is no model type', async () => {
    const clip = new ClipVisionTower(structure).initialize(1);
    await saveClipVision(join(root, 'openai'), clip, { layout: 'openai' });
    const loaded = await loadEncoder(join(root, 'openai'));
    expect(loaded).toBeInstanceOf(ClipVisionTower);
    expect(await loaded.state()).toEqual(await clip.state());
    expect((await loadEncoder(join(root, 'openai', 'model.safetensors'))).config).toEqual(clip.config);
  });

  it("reads a folder with this package's own configuration", async () => {
    const tower = new HighResolutionClipTower({ vision: structure, inputSize: 12 }).initialize(3);
    const folder = join(root, 'own');
    await saveWeights(folder, tower);
    await writeFile(join(folder, 'config.json'), JSON.stringify(tower.config));
    const loaded = await loadEncoder(folder);
    expect(loaded.config).toEqual(tower.config);
    expect(await loaded.state()).toEqual(await tower.state());
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...tower.config, type: 'resnet' }));
    await expect(loadEncoder(folder)).rejects.toThrow('"resnet"');
  });

  it('names an unsupported architecture, and what is supported', async () => {
    const folder = await mkdtemp(join(root, 'bert'));
    await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert' }));
    const data = Float32Array.of(1);
    await writeSafetensors(join(folder, 'model.safetensors'), {
      'encoder.weight': { dtype: 'float32', shape: [1], data },
    });
    const loading = loadEncoder(folder);
    await expect(loading).rejects.toThrow(ConfigError);
    await expect(loading).rejects.toThrow('model_type "bert" and tensors such as encoder.weight');
    await expect(loading).rejects.toThrow('clip (model_type clip, clip_vision_model)');
    await expect(loading).rejects.toThrow('siglip (model_type siglip, siglip_vision_model)');
    await expect(loadEncoder(join(root, 'nowhere'))).rejects.toThrow('nowhere');
  });
});
