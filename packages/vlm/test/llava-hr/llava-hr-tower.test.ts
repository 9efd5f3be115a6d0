import { ConfigError, closeEngine, compile, ShapeError, sum, valueAndGrad } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { LlavaHrTower, type LlavaHrTowerConfigInput } from '../../src/index.js';
import { difference, normal } from '../support.js';

const config = {
  fast: { hiddenSize: 8, intermediateSize: 12, numHiddenLayers: 4, numAttentionHeads: 2, imageSize: 8, patchSize: 4 },
  slow: { depths: [1, 1, 1], hiddenSizes: [4, 6, 8], patchSize: 2 },
  imageSize: 32,
} as const satisfies LlavaHrTowerConfigInput;

afterAll(closeEngine);

describe('LlavaHrTower', () => {
  it('has as many tokens as the slow path has places', () => {
    const tower = new LlavaHrTower(config).initialize(0);
    expect(tower.featureGrid()).toEqual([4, 4]);
    expect(tower.fast_vision_tower.config.inputSize).toBe(16);
    expect(tower.features(normal(2, 3, 32, 32)).shape).toEqual([2, 16, 8]);
    const small = new LlavaHrTower({ ...config, imageSize: 8 });
    expect(small.featureGrid()).toEqual([2, 2]);
    expect(small.features(normal(1, 3, 8, 8)).shape).toEqual([1, 4, 8]);
  });

  it('has the states of its fast path as levels, and what both paths give', async () => {
    const tower = new LlavaHrTower(config).initialize(0);
    const pixels = normal(1, 3, 32, 32);
    const levels = tower.levels(pixels);
    expect(levels.map(({ features, grid }) => [features.shape, grid])).toEqual(
      levels.map(() => [
        [1, 16, 8],
        [4, 4],
      ]),
    );
    expect(levels).toHaveLength(6);
    expect(await difference(levels.at(-1)!.features, tower.features(pixels))).toBe(0);
  });

  it('starts as a tower without adapters, which learn from their second convolutions on', async () => {
    const tower = new LlavaHrTower(config).initialize(0);
    const plain = new LlavaHrTower({ ...config, adapters: false }).initialize(0);
    expect(plain.align_stages_latent).toEqual([]);
    const pixels = normal(1, 3, 32, 32);
    expect(await difference(tower.features(pixels), plain.features(pixels))).toBe(0);
    const parameters = tower.trainableParameters();
    const { grads } = await compile(() => valueAndGrad(() => sum(tower.features(pixels)), parameters))();
    for (const index of [0, 1, 2]) {
      const gradient = (await grads[`align_stages_latent.${index}.fast_proj.weight`]!.data()) as Float32Array;
      expect(gradient.some((value) => Math.abs(value) > 1e-6)).toBe(true);
    }
  });

  it('has the published sizes beside its towers', () => {
    const parameters = Object.entries(new LlavaHrTower().namedParameters());
    const millions = (start: string) =>
      parameters.filter(([name]) => name.startsWith(start)).reduce((total, [, { size }]) => total + size, 0) / 1e6;
    expect(millions('align_stages_latent.')).toBeCloseTo(3 * 14.74, 1);
    expect(millions('align_stages.')).toBeCloseTo(4.2, 2);
    expect(new LlavaHrTower().featureGrid()).toEqual([32, 32]);
  });

  it('refuses layers that do not come in quarters, unknown fields, a choice of layer and grids that do not fit', () => {
    expect(() => new LlavaHrTower({ ...config, fast: { ...config.fast, numHiddenLayers: 6 } })).toThrow(
      'fast.numHiddenLayers: must be a multiple of 4',
    );
    expect(() => new LlavaHrTower({ ...config, medium: {} } as LlavaHrTowerConfigInput)).toThrow('"medium"');
    expect(() => new LlavaHrTower(config).features(normal(1, 3, 32, 32), { layer: -2 })).toThrow(ConfigError);
    expect(() => new LlavaHrTower(config).features(normal(1, 3, 24, 24))).toThrow(ShapeError);
  });
});
