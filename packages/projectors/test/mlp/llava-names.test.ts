import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  closeEngine,
  Linear,
  loadWeights,
  Module,
  openSafetensors,
  saveWeights,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { createProjector, llavaProjectorConfig, llavaProjectorKeyMap } from '../../src/index.js';
import { normalTensor } from '../support.js';

const widths = { visionWidth: 6, languageWidth: 6 } as const;

afterAll(closeEngine);

describe('llavaProjectorConfig', () => {
  it.each([
    ['linear', ['net.0.weight', 'net.0.bias']],
    ['identity', []],
    ['mlp1x_gelu', ['net.0.weight', 'net.0.bias']],
    ['mlp3x_gelu', ['net.0.weight', 'net.0.bias', 'net.2.weight', 'net.2.bias', 'net.4.weight', 'net.4.bias']],
  ])('makes %s of as many layers', (name, parameters) => {
    const projector = createProjector(llavaProjectorConfig(name, widths));
    expect(Object.keys(projector.namedParameters())).toEqual(parameters);
  });

  it('starts like PyTorch: within ±1/√inputs, biases too', async () => {
    const projector = createProjector(llavaProjectorConfig('mlp2x_gelu', { visionWidth: 100, languageWidth: 400 }));
    const { 'net.0.weight': weight, 'net.2.bias': bias } = projector.initialize(0).namedParameters();
    for (const [parameter, bound] of [
      [weight!, 0.1],
      [bias!, 0.05],
    ] as const) {
      const values = (await parameter.data()) as Float32Array;
      const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      expect(most).toBeLessThanOrEqual(bound);
      expect(most).toBeGreaterThan(0.95 * bound);
    }
  });

  it('passes features on where there is no layer', async () => {
    const features = normalTensor(1, 4, 6);
    const tokens = createProjector(llavaProjectorConfig('identity', widths)).forward(features);
    expect(await tokens.data()).toEqual(await features.data());
  });

  it.each(['mlp', 'mlp0x_gelu', 'mlp2x_relu', 'xmlp2x_gelu', ''])('refuses %j', (name) => {
    expect(() => llavaProjectorConfig(name, widths)).toThrow(ConfigError);
    expect(() => llavaProjectorConfig(name, widths)).toThrow('mlp2x_gelu');
  });
});

describe('llavaProjectorKeyMap', () => {
  it.each([
    ['linear', ['model.mm_projector.bias', 'model.mm_projector.weight']],
    [
      'mlp2x_gelu',
      [
        'model.mm_projector.0.bias',
        'model.mm_projector.0.weight',
        'model.mm_projector.2.bias',
        'model.mm_projector.2.weight',
      ],
    ],
  ])('writes %s under the names of LLaVA, and reads it again', async (name, keys) => {
    const source = createProjector(llavaProjectorConfig(name, widths)).initialize(1);
    const keyMap = llavaProjectorKeyMap(source.config);
    const folder = await mkdtemp(join(tmpdir(), 'projector-'));
    try {
      await saveWeights(folder, source, { keyMap });
      const reader = await openSafetensors(join(folder, 'model.safetensors'));
      expect([...reader.keys()].sort()).toEqual(keys);
      await reader.close();
      const loaded = createProjector(llavaProjectorConfig(name, widths));
      await loadWeights(loaded, folder, { keyMap });
      const features = normalTensor(1, 3, 6);
      expect(await loaded.forward(features).data()).toEqual(await source.forward(features).data());
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('leaves the tensors of the language model alone', async () => {
    class Model extends Module {
      readonly layers = [createProjector({ type: 'linear', ...widths })];
      readonly model = { mm_projector: new Linear(6, 6) };
    }
    const folder = await mkdtemp(join(tmpdir(), 'projector-'));
    try {
      const model = new Model().initialize(2);
      await saveWeights(folder, model);
      const loaded = createProjector(llavaProjectorConfig('linear', widths));
      const report = await loadWeights(loaded, folder, { keyMap: llavaProjectorKeyMap(loaded.config) });
      expect([...report.ignored].sort()).toEqual(['layers.0.net.0.bias', 'layers.0.net.0.weight']);
      const features = normalTensor(1, 3, 6);
      const expected = await model.model.mm_projector.forward(features).data();
      expect(await loaded.forward(features).data()).toEqual(expected);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
