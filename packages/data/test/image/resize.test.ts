import { describe, expect, it } from 'vitest';
import {
  ImageError,
  RESAMPLE_FILTERS,
  type ResampleFilter,
  type RgbImage,
  resize,
  solidImage,
} from '../../src/index.js';

const ramp: RgbImage = {
  width: 6,
  height: 4,
  data: Uint8Array.from({ length: 72 }, (_, index) => (index * 37) % 256),
};

describe('resize', () => {
  it.each(RESAMPLE_FILTERS)('%s keeps a flat colour exactly, when shrinking and when enlarging', (filter) => {
    const flat = solidImage({ width: 13, height: 9 }, [3, 128, 251]);
    for (const size of [
      { width: 5, height: 4 },
      { width: 40, height: 31 },
      { width: 1, height: 1 },
    ]) {
      expect(resize(flat, size, filter)).toEqual(solidImage(size, [3, 128, 251]));
    }
  });

  it.each(RESAMPLE_FILTERS)('%s copies an image of the size asked for', (filter) => {
    const copy = resize(ramp, { width: 6, height: 4 }, filter);
    expect(copy).toEqual(ramp);
    expect(copy.data).not.toBe(ramp.data);
  });

  it('averages blocks with the box filter when shrinking by whole numbers', () => {
    const { data } = resize(ramp, { width: 3, height: 4 }, 'box');
    for (const [x, y, channel] of [
      [0, 0, 0],
      [2, 3, 2],
      [1, 2, 1],
    ] as const) {
      const left = ramp.data[(y * 6 + 2 * x) * 3 + channel]!;
      const right = ramp.data[(y * 6 + 2 * x + 1) * 3 + channel]!;
      expect(data[(y * 3 + x) * 3 + channel]).toBe(Math.floor((left + right) / 2 + 0.5));
    }
  });

  it('clips the overshoot of filters with negative lobes', () => {
    const edge: RgbImage = {
      width: 8,
      height: 1,
      data: Uint8Array.from({ length: 24 }, (_, index) => (index < 12 ? 0 : 255)),
    };
    for (const filter of ['bicubic', 'lanczos'] as const) {
      const { data } = resize(edge, { width: 32, height: 1 }, filter);
      expect(Math.min(...data)).toBe(0);
      expect(Math.max(...data)).toBe(255);
    }
  });

  it('treats the three channels alike', () => {
    const grey = { ...ramp, data: ramp.data.map((_, index) => ramp.data[index - (index % 3)]!) };
    const { data } = resize(grey, { width: 4, height: 7 }, 'lanczos');
    for (let pixel = 0; pixel < 28; pixel++) {
      expect(data[3 * pixel + 1]).toBe(data[3 * pixel]);
      expect(data[3 * pixel + 2]).toBe(data[3 * pixel]);
    }
  });

  it.each([
    [{ width: 0, height: 4 }, 'bicubic', /positive integer/],
    [{ width: 2.5, height: 4 }, 'bicubic', /positive integer/],
    [{ width: 4, height: Number.NaN }, 'box', /positive integer/],
    [{ width: 200_000, height: 1000 }, 'bicubic', /at most 178956970 pixels/],
    [{ width: 4, height: 4 }, 'cubic', /one of nearest, box/],
  ])('refuses size %j with filter %s', (size, filter, message) => {
    expect(() => resize(ramp, size, filter as ResampleFilter)).toThrow(ImageError);
    expect(() => resize(ramp, size, filter as ResampleFilter)).toThrow(message);
  });

  it('refuses data that does not fit the sides', () => {
    expect(() => resize({ ...ramp, width: 7 }, { width: 2, height: 2 }, 'box')).toThrow(/84 bytes/);
  });
});
