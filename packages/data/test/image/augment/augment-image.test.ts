import { ConfigError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import {
  augmentation,
  augmentImage,
  drawCrop,
  fold,
  PUBLISHED_AUGMENTATIONS,
  type RgbImage,
  randomKey,
  randomSource,
} from '../../../src/index.js';

const image: RgbImage = {
  width: 20,
  height: 12,
  data: Uint8Array.from({ length: 720 }, (_, index) => (index * 37) % 256),
};
const size = { width: 16, height: 16 };
const key = randomKey(3);

describe('augmentImage', () => {
  it('gives the same bytes for the same key, other ones for another, and leaves the image as it is', () => {
    const before = image.data.slice();
    const once = augmentImage(image, augmentation(), size, key);
    expect(once).toMatchObject(size);
    expect(augmentImage(image, augmentation(), size, key)).toEqual(once);
    const others = [1, 2, 3, 4].map((other) => augmentImage(image, augmentation(), size, fold(key, other)).data);
    expect(new Set([once.data, ...others].map(String)).size).toBe(5);
    expect(image.data).toEqual(before);
  });

  it('mirrors where only that is asked for', () => {
    const mirrored = augmentImage(image, augmentation({ crop: null, flip: 1, count: 0 }), image, key);
    const pixel = ({ data }: RgbImage, x: number, y: number) => [
      ...data.subarray((y * 20 + x) * 3, (y * 20 + x) * 3 + 3),
    ];
    for (const [x, y] of [
      [0, 0],
      [7, 11],
      [19, 5],
    ] as const) {
      expect(pixel(mirrored, x, y)).toEqual(pixel(image, 19 - x, y));
    }
  });

  it('carries out each drawn operation half of the time', () => {
    // Posterizing to no bits makes an image black.
    const black = augmentation({ crop: null, flip: 0, operations: ['Posterize'], count: 1, level: 0 });
    const count = (config: typeof black) =>
      Array.from({ length: 400 }, (_, index) => augmentImage(image, config, image, fold(key, index))).filter(
        ({ data }) => data.every((byte) => byte === 0),
      ).length;
    expect(Math.abs(count(black) - 200)).toBeLessThan(40); // four deviations
    expect(Math.abs(count({ ...black, count: 2 }) - 300)).toBeLessThan(35);
  });

  it('has the published augmentations: no mirroring for VQAv2, colours for the others', () => {
    const { albef_randaug, albef_randaug_wc, albef_randaug_wohf } = PUBLISHED_AUGMENTATIONS;
    expect(albef_randaug).toEqual({
      crop: { area: [0.5, 1], ratio: [3 / 4, 4 / 3] },
      flip: 0.5,
      operations:
        'Identity AutoContrast Brightness Sharpness Equalize ShearX ShearY TranslateX TranslateY Rotate'.split(' '),
      count: 2,
      probability: 0.5,
      level: 7,
      fill: 128,
      arithmetic: 'published',
    });
    expect(albef_randaug_wohf).toEqual({ ...albef_randaug, flip: 0 });
    expect(albef_randaug_wc.operations.slice(10)).toEqual(['Solarize', 'Color', 'Contrast', 'Posterize']);
  });

  it('refuses what is no augmentation', () => {
    expect(() => augmentation({ level: 11 })).toThrow(ConfigError);
    expect(() => augmentation({ operations: ['Invert' as never] })).toThrow(/operations/);
    expect(() => augmentation({ crop: { area: [0.9, 0.5] } })).toThrow(/ascending/);
    expect(() => augmentation({ magnitude: 7 } as never)).toThrow(/magnitude/);
  });
});

describe('drawCrop', () => {
  it('draws parts inside the image, of the areas and ratios asked for', () => {
    const random = randomSource(key);
    const whole = { width: 640, height: 480 };
    for (let draw = 0; draw < 200; draw++) {
      const { left, top, width, height } = drawCrop(whole, { area: [0.5, 1], ratio: [3 / 4, 4 / 3] }, random);
      expect(left >= 0 && top >= 0 && left + width <= 640 && top + height <= 480).toBe(true);
      expect((width * height) / (640 * 480)).toBeGreaterThan(0.495);
      expect(width / height).toBeGreaterThan(0.745);
      expect(width / height).toBeLessThan(1.342);
    }
  });

  it('takes the middle of an image that no part fits into', () => {
    const crop = { area: [0.5, 1], ratio: [3 / 4, 4 / 3] } as { area: [number, number]; ratio: [number, number] };
    expect(drawCrop({ width: 300, height: 30 }, crop, randomSource(key))).toEqual({
      left: 130,
      top: 0,
      width: 40,
      height: 30,
    });
    expect(drawCrop({ width: 30, height: 300 }, crop, randomSource(key))).toEqual({
      left: 0,
      top: 130,
      width: 30,
      height: 40,
    });
  });
});
