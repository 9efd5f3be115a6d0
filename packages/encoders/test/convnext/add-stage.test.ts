import { ConfigError, closeEngine, initializers, randomKey, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { addConvNextStage, ConvNextTower, convNextConfigs } from '../../src/index.js';

const structure = { depths: [1, 2], hiddenSizes: [4, 6], layerScaleInit: 0.5 };

afterAll(closeEngine);

async function values(tower: ConvNextTower, name: string): Promise<number[]> {
  return [...((await tower.namedParameters()[name]!.data()) as Float32Array)];
}

describe('addConvNextStage', () => {
  it('makes ConvLLaVA’s five stages of the four of CLIP', () => {
    const tower = new ConvNextTower({ ...convNextConfigs['clip-convnext-large-d-320'], dropPathRate: 0 }).freeze();
    const expanded = addConvNextStage(tower);
    expect(expanded.config).toEqual({ ...convNextConfigs['convllava-convnext-768'], imageSize: 320 });
    expect(expanded.parameterCount() - tower.parameterCount()).toBe(472_934_400);
    const trained = Object.entries(expanded.trainableParameters());
    expect(trained.every(([name]) => name.startsWith('encoder.stages.4.'))).toBe(true);
    expect(trained.reduce((total, [, { size }]) => total + size, 0)).toBe(472_934_400);
    expect(Object.keys(expanded.namedParameters())).toEqual(
      Object.keys(new ConvNextTower(convNextConfigs['convllava-convnext-768']).namedParameters()),
    );
  });

  it('keeps the maps of the stages it had, and runs the new one behind them', async () => {
    const tower = new ConvNextTower(structure).initialize(1);
    const expanded = addConvNextStage(tower, { depth: 2, width: 10, seed: 2 });
    const pixels = tensor(initializers.normal()([1, 3, 32, 48], randomKey('pixels')), [1, 3, 32, 48]);
    expect([...(await expanded.features(pixels, { layer: 2 }).data())]).toEqual([
      ...(await tower.features(pixels).data()),
    ]);
    expect(expanded.features(pixels).shape).toEqual([1, 2 * 3, 10]);
    expect(expanded.width).toBe(10);
    expect(expanded.embeddings).toBe(tower.embeddings);
    expect(tower.config.depths).toEqual([1, 2]);
  });

  it('starts with PyTorch’s defaults, biases included', async () => {
    const expanded = addConvNextStage(new ConvNextTower(structure), { depth: 1, width: 96, seed: 3 });
    const stage = 'encoder.stages.2';
    for (const [name, inputs] of [
      ['downsampling_layer.1', 6 * 4],
      ['layers.0.dwconv', 49],
      ['layers.0.pwconv1', 96],
      ['layers.0.pwconv2', 384],
    ] as const) {
      for (const end of ['weight', 'bias']) {
        const drawn = await values(expanded, `${stage}.${name}.${end}`);
        const largest = Math.max(...drawn.map(Math.abs));
        expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(inputs) + 1e-7);
        expect(largest).toBeGreaterThan(0.9 / Math.sqrt(inputs));
      }
    }
    expect(new Set(await values(expanded, `${stage}.layers.0.layer_scale_parameter`))).toEqual(new Set([0.5]));
  });

  it('draws the same for the same seed, and what initialising the whole would draw', async () => {
    const name = 'encoder.stages.2.layers.0.pwconv1.weight';
    const make = (seed: number) => addConvNextStage(new ConvNextTower(structure), { depth: 1, seed });
    const first = await values(make(4), name);
    expect(await values(make(4), name)).toEqual(first);
    expect(await values(make(5), name)).not.toEqual(first);
    expect(await values(make(5).initialize(4), name)).toEqual(first);
  });

  it('never drops the new stage', () => {
    const expanded = addConvNextStage(new ConvNextTower({ ...structure, dropPathRate: 0.3 }), { depth: 2 });
    const rates = expanded.encoder.stages.map(({ layers }) => layers.map(({ dropPathRate }) => dropPathRate));
    expect(rates).toEqual([[0], [0.15, 0.3], [0, 0]]);
  });

  it('refuses a depth or a width that is none', () => {
    const tower = new ConvNextTower(structure);
    expect(() => addConvNextStage(tower, { depth: 0 })).toThrow('depth as a positive integer');
    expect(() => addConvNextStage(tower, { width: 2.5 })).toThrow(ConfigError);
  });
});
