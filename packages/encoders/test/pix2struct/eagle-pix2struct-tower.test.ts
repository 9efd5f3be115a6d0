import {
  closeEngine,
  concat,
  initializers,
  interpolate,
  randomKey,
  reshape,
  ShapeError,
  sliceAxis,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { EaglePix2StructTower, parseEaglePix2StructConfig, patchesOfPixels } from '../../src/index.js';

const vision = {
  hiddenSize: 8,
  patchEmbedHiddenSize: 12,
  intermediateSize: 12,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  headDim: 4,
  sequenceLength: 16,
  patchSize: 2,
  maxPatches: 20,
} as const;

const pixels = (...shape: number[]): Tensor => tensor(initializers.normal()(shape, randomKey('pixels')), shape);

afterAll(closeEngine);

describe('EaglePix2StructTower', () => {
  it("has Eagle's structure", () => {
    const tower = new EaglePix2StructTower();
    expect(tower.parameterCount()).toBe(512_812_032);
    expect([tower.width, ...tower.featureGrid()]).toEqual([1536, 32, 32]);
    expect(tower.features(zeros([2, 3, 1024, 1024])).shape).toEqual([2, 1024, 1536]);
    expect(Object.keys(tower.namedParameters())[0]).toMatch(/^vision_tower\./);
  });

  it('computes what the original computes on sequences with padding', async () => {
    const tower = new EaglePix2StructTower({ vision, outputGrid: 3 }).initialize(1);
    const { mean, std } = tower.config;
    const input = pixels(2, 3, 10, 10);
    const values = (await input.data()) as Float32Array;
    const bytes = values.map((value, index) => {
      const channel = Math.floor(index / 100) % 3;
      return (value * std[channel]! + mean[channel]!) * 255;
    });
    const patches = patchesOfPixels(tensor(bytes, [2, 3, 10, 10]), vision);
    expect(patches.shape).toEqual([2, 16, 14]);
    const padded = concat([patches, zeros([2, 4, 14])], 1);
    const tokens = sliceAxis(tower.vision_tower.features(padded), 1, 0, 16);
    const map = interpolate(reshape(transpose(tokens), [2, 8, 4, 4]), {
      size: 3,
      mode: 'bilinear',
      alignCorners: true,
    });
    const expected = await map.data();
    const actual = await tower.featureMap(input).data();
    expect(actual.length).toBe(2 * 8 * 9);
    actual.forEach((value: number | bigint, index: number) => {
      expect(Number(value)).toBeCloseTo(Number(expected[index]), 4);
    });
  });

  it('keeps the grid of patches on request, of images of any aspect ratio', () => {
    const tower = new EaglePix2StructTower({ vision, outputGrid: null });
    expect(tower.featureGrid(8, 16)).toEqual([3, 6]);
    expect(tower.featureMap(pixels(1, 3, 8, 16)).shape).toEqual([1, 8, 3, 6]);
    expect(tower.features(pixels(1, 3, 8, 16)).shape).toEqual([1, 18, 8]);
  });

  it('is blind to brightness and contrast of the whole image', async () => {
    const tower = new EaglePix2StructTower({ vision, outputGrid: null, mean: [0, 0, 0], std: [1, 1, 1] }).initialize(1);
    const values = (await pixels(1, 3, 8, 8).data()) as Float32Array;
    const changed = tensor(
      values.map((value) => 3 * value + 7),
      [1, 3, 8, 8],
    );
    const [a, b] = [await tower.features(pixels(1, 3, 8, 8)).data(), await tower.features(changed).data()];
    a.forEach((value: number | bigint, index: number) => {
      expect(Number(b[index])).toBeCloseTo(Number(value), 3);
    });
    const flat = (await tower.features(zeros([1, 3, 8, 8])).data()) as Float32Array;
    expect(flat.every(Number.isFinite)).toBe(true);
  });

  it('refuses what is no batch of colour images, and patches of another size', () => {
    const tower = new EaglePix2StructTower({ vision });
    expect(() => tower.features(pixels(1, 1, 8, 8))).toThrow(ShapeError);
    expect(() => tower.features(pixels(3, 8, 8))).toThrow(ShapeError);
    const odd = new EaglePix2StructTower({ vision: { ...vision, patchSize: 4 } });
    expect(() => odd.features(pixels(1, 3, 8, 8))).toThrow('patches of 4 × 4 × 3');
  });
});

describe('parseEaglePix2StructConfig', () => {
  it("fills in Eagle's defaults and survives JSON", () => {
    const config = parseEaglePix2StructConfig({});
    expect(config).toMatchObject({ type: 'eagle-pix2struct', imageSize: 1024, outputGrid: 32 });
    expect(config.vision.hiddenSize).toBe(1536);
    expect(parseEaglePix2StructConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names what is wrong', () => {
    expect(() => parseEaglePix2StructConfig({ grid: 3 } as object)).toThrow('"grid"');
    expect(() => parseEaglePix2StructConfig({ vision: { width: 3 } as object })).toThrow('"width"');
    expect(() => parseEaglePix2StructConfig({ outputGrid: 0 })).toThrow('outputGrid');
  });
});
