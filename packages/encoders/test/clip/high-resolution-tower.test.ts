import {
  ConfigError,
  closeEngine,
  initializers,
  randomKey,
  ShapeError,
  sum,
  tensor,
  valueAndGrad,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { HighResolutionClipTower, resizeClipVision } from '../../src/index.js';

const vision = {
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 12,
  patchSize: 4,
} as const;

const pixels = (...shape: number[]) => tensor(initializers.normal()(shape, randomKey('pixels')), shape);

afterAll(closeEngine);

describe('HighResolutionClipTower', () => {
  it('takes images of any size, and the grid follows', () => {
    const tower = new HighResolutionClipTower({ vision, inputSize: 20 });
    expect(tower.width).toBe(16);
    expect(tower.featureGrid()).toEqual([5, 5]);
    expect(tower.featureGrid(28, 12)).toEqual([7, 3]);
    expect(tower.features(pixels(2, 3, 20, 20)).shape).toEqual([2, 25, 16]);
    expect(tower.features(pixels(1, 3, 28, 12)).shape).toEqual([1, 21, 16]);
    expect(() => tower.features(pixels(1, 3, 3, 12))).toThrow(ShapeError);
    expect(() => tower.features(pixels(1, 3, 20, 20), { layer: 3 })).toThrow(ConfigError);
  });

  it('trains neither the class token, nor its position, nor the final norm', async () => {
    const tower = new HighResolutionClipTower({ vision }).initialize(1);
    const { grads } = valueAndGrad(() => sum(tower.features(pixels(1, 3, 12, 12))), tower.namedParameters());
    const values = async (name: string) => (await grads[`vision_tower.vision_model.${name}`]!.data()) as Float32Array;
    expect((await values('embeddings.class_embedding')).every((value) => value === 0)).toBe(true);
    expect((await values('post_layernorm.weight')).every((value) => value === 0)).toBe(true);
    const positions = await values('embeddings.position_embedding.weight');
    expect(positions.slice(0, 16).every((value) => value === 0)).toBe(true);
    expect(positions.slice(16).some((value) => value !== 0)).toBe(true);
  });

  it('resizes positions with antialiasing, as a tower that is resized so once', async () => {
    const tower = new HighResolutionClipTower({ vision, inputSize: 20 }).initialize(2);
    const input = pixels(1, 3, 20, 20);
    const resized = await resizeClipVision(tower.vision_tower, 20, { antialias: true });
    const features = await tower.features(input).data();
    const once = await resized.features(input, { layer: -1, classToken: 'absent' }).data();
    const plain = await resizeClipVision(tower.vision_tower, 20);
    const other = await plain.features(input, { layer: -1, classToken: 'absent' }).data();
    const distance = (a: ArrayLike<unknown>, b: ArrayLike<unknown>) =>
      Math.max(...Array.from(a, (value, index) => Math.abs(Number(value) - Number(b[index]))));
    expect(distance(features, once)).toBeLessThan(1e-5);
    expect(distance(features, other)).toBeGreaterThan(1e-4);
  });

  it('names unknown fields', () => {
    expect(() => new HighResolutionClipTower({ inputSizes: 448 } as object)).toThrow('"inputSizes"');
    expect(() => new HighResolutionClipTower({ vision: { hiddenSizes: 3 } as object })).toThrow('"hiddenSizes"');
    expect(new HighResolutionClipTower({ vision }).config.inputSize).toBe(12);
  });
});
