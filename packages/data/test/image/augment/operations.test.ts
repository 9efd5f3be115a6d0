import { describe, expect, it } from 'vitest';
import { AUGMENT_OPERATIONS, type AugmentOperation, applyAugmentOperation, type RgbImage } from '../../../src/index.js';

const width = 33;
const height = 21;

/** Every channel's darkest byte is above 0. */
const ramp: RgbImage = {
  width,
  height,
  data: Uint8Array.from(
    { length: width * height * 3 },
    (_, index) => 9 + ((index * 37 + Math.floor(index / 11) * 5) % 247),
  ),
};

const strength = { level: 7, sign: 1, fill: 128, arithmetic: 'published' } as const;

/** Sum of the bytes, sum weighted by the place modulo 251, and the first two pixels of row 10. */
const official: Readonly<Record<string, readonly [number, number, readonly number[]]>> = {
  AutoContrast: [530145, 64638675, [255, 255, 255, 255, 255, 255]],
  Equalize: [334370, 40921298, [44, 95, 145, 201, 252, 255]],
  Brightness: [345419, 42257198, [53, 103, 153, 204, 254, 255]],
  Sharpness: [257121, 31143023, [39, 76, 113, 170, 207, 244]],
  ShearX: [271650, 33190931, [128, 128, 128, 128, 128, 128]],
  ShearY: [272515, 33282676, [39, 76, 113, 149, 186, 223]],
  TranslateX: [274337, 33492881, [80, 122, 159, 196, 233, 23]],
  TranslateY: [272062, 33139688, [60, 97, 134, 171, 208, 245]],
  Rotate: [273187, 33374699, [164, 131, 168, 215, 59, 97]],
  'ShearX-': [274537, 33650254, [24, 61, 99, 136, 150, 191]],
  'ShearY-': [272253, 33263949, [39, 76, 113, 151, 188, 225]],
  'TranslateX-': [271459, 33208420, [128, 128, 128, 128, 128, 128]],
  'TranslateY-': [271608, 33201195, [18, 55, 92, 129, 166, 203]],
  'Rotate-': [273105, 33286464, [157, 194, 231, 52, 89, 126]],
  Solarize: [158152, 19223069, [39, 76, 113, 150, 68, 31]],
  Color: [269807, 33047715, [23, 73, 123, 134, 184, 234]],
  Contrast: [270838, 33196172, [5, 55, 106, 156, 206, 255]],
  Posterize: [206272, 25277632, [0, 64, 64, 128, 128, 192]],
};

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const first = (image: RgbImage, count: number) => [...image.data.subarray(0, count)];

describe('applyAugmentOperation', () => {
  it.each(Object.entries(official))(
    '%s has the bytes of the released code with OpenCV',
    (name, [total, weighted, row]) => {
      const operation = name.replace('-', '') as AugmentOperation;
      const { data } = applyAugmentOperation(ramp, operation, { ...strength, sign: name.endsWith('-') ? -1 : 1 });
      expect(sum(data)).toBe(total);
      expect(sum(Array.from(data, (byte, place) => byte * (place % 251)))).toBe(weighted);
      expect([...data.subarray(990, 996)]).toEqual(row);
    },
  );

  it('keeps the image where nothing is to be done, and never writes to it', () => {
    const before = ramp.data.slice();
    for (const operation of AUGMENT_OPERATIONS) applyAugmentOperation(ramp, operation, strength);
    expect(ramp.data).toEqual(before);
    for (const operation of ['Identity', 'ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate'] as const) {
      expect(applyAugmentOperation(ramp, operation, { ...strength, level: 0 }).data).toEqual(before);
    }
  });

  it('corrected arithmetic stretches from the darkest byte, does not wrap, and weighs red as red', () => {
    const corrected = { ...strength, arithmetic: 'corrected' } as const;
    const two: RgbImage = { width: 2, height: 1, data: Uint8Array.of(51, 0, 100, 102, 255, 100) };
    expect(first(applyAugmentOperation(two, 'AutoContrast', corrected), 6)).toEqual([0, 0, 100, 255, 255, 100]);
    expect(first(applyAugmentOperation(two, 'AutoContrast', strength), 6)).toEqual([255, 0, 100, 255, 255, 100]);

    const dot: RgbImage = { width: 3, height: 3, data: new Uint8Array(27).fill(240, 12, 15) };
    const centre = (arithmetic: 'published' | 'corrected') =>
      applyAugmentOperation(dot, 'Sharpness', { ...strength, arithmetic }).data[12];
    // A neighbourhood of 92: 92 + 1.36 · 148 = 293.28, which is 37 beyond a byte's 256 values.
    expect([centre('corrected'), centre('published')]).toEqual([255, 37]);

    const red: RgbImage = { width: 1, height: 1, data: Uint8Array.of(100, 0, 0) };
    // At level 0 a tenth of the colour is left: 0.9 · grey + 0.1 · colour.
    const grey = (arithmetic: 'published' | 'corrected') =>
      first(applyAugmentOperation(red, 'Color', { ...strength, level: 0, arithmetic }), 3);
    expect(grey('corrected')).toEqual([36, 26, 26]);
    expect(grey('published')).toEqual([20, 10, 10]);
  });
});
