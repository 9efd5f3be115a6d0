import { describe, expect, it } from 'vitest';
import {
  flattenPatches,
  ImageError,
  patchGrid,
  pix2structProcessor,
  pix2structProcessorFromHuggingFace,
  type RgbImage,
  solidImage,
} from '../../src/index.js';

/** The `preprocessor_config.json` of google/pix2struct-large. */
const file = {
  do_convert_rgb: true,
  do_normalize: true,
  image_processor_type: 'Pix2StructImageProcessor',
  is_vqa: false,
  max_patches: 2048,
  patch_size: { height: 16, width: 16 },
  processor_class: 'Pix2StructProcessor',
};

const small = pix2structProcessor({ patchSize: { height: 2, width: 2 }, maxPatches: 7 });

/** Bytes that no two pixels share. */
const numbered = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 37) % 251),
});

describe('patchGrid', () => {
  it.each([
    [1024, 1024, [45, 45]],
    [37, 37, [45, 45]],
    [400, 100, [22, 90]],
    [100, 400, [90, 22]],
    [640, 480, [39, 52]],
  ])('of %d x %d pixels is that of the original', (width, height, grid) => {
    expect(patchGrid({ width, height }, pix2structProcessor())).toEqual(grid);
  });

  it('keeps one row of a strip, and stays within the number of patches', () => {
    const [rows, columns] = patchGrid({ width: 50_000, height: 3 }, pix2structProcessor());
    expect([rows, columns]).toEqual([1, 2048]);
  });
});

describe('flattenPatches', () => {
  it('keeps the pixels of an image that has the size of its grid: row and column, then pixels with channels innermost', () => {
    const image = numbered(6, 4);
    const { data, attentionMask, shape, rows, columns } = flattenPatches(image, small);
    expect([rows, columns, ...shape]).toEqual([2, 3, 7, 14]);
    expect([...attentionMask]).toEqual([1, 1, 1, 1, 1, 1, 0]);
    const bytes = [...image.data];
    const mean = bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;
    const deviation = Math.sqrt(bytes.reduce((sum, byte) => sum + (byte - mean) ** 2, 0) / bytes.length);
    for (let patch = 0; patch < 6; patch++) {
      const [row, column] = [Math.floor(patch / 3), patch % 3];
      const numbers = [...data.slice(patch * 14, (patch + 1) * 14)];
      expect(numbers.slice(0, 2)).toEqual([row + 1, column + 1]);
      const expected = [0, 1].flatMap((y) =>
        [0, 1].flatMap((x) =>
          [0, 1, 2].map((c) => (bytes[((row * 2 + y) * 6 + column * 2 + x) * 3 + c]! - mean) / deviation),
        ),
      );
      numbers.slice(2).forEach((value, index) => {
        expect(value).toBeCloseTo(expected[index]!, 5);
      });
    }
    expect([...data.slice(6 * 14)]).toEqual(new Array(14).fill(0));
  });

  it('gives the same for bytes and for floats in planes', () => {
    const { width, height, data } = numbered(13, 9);
    const planes = Float32Array.from({ length: data.length }, (_, index) => {
      const [channel, pixel] = [Math.floor(index / (width * height)), index % (width * height)];
      return data[pixel * 3 + channel]!;
    });
    expect(flattenPatches({ width, height, data: planes }, small)).toEqual(
      flattenPatches({ width, height, data }, small),
    );
  });

  it('is finite for an image of one colour, and of one pixel', () => {
    const { data, rows, columns } = flattenPatches(solidImage({ width: 5, height: 5 }, [9, 9, 9]), small);
    expect(data.every((value, index) => value === (index % 14 < 2 ? value : 0))).toBe(true);
    expect([rows, columns]).toEqual([2, 2]);
    const one = flattenPatches(solidImage({ width: 1, height: 1 }, [0, 128, 255]));
    expect(one.data.every(Number.isFinite)).toBe(true);
    expect([one.rows, one.columns]).toEqual([45, 45]);
  });

  it('refuses data that does not fit the sides', () => {
    expect(() => flattenPatches({ width: 2, height: 2, data: new Uint8Array(11) })).toThrow(ImageError);
    expect(() => flattenPatches({ width: 2, height: 2, data: new Float32Array(11) })).toThrow('11 values');
  });
});

describe('pix2structProcessorFromHuggingFace', () => {
  it('reads the published file, and fills in what is missing', () => {
    expect(pix2structProcessorFromHuggingFace(file)).toEqual(pix2structProcessor());
    expect(pix2structProcessorFromHuggingFace({})).toEqual(pix2structProcessor());
    const other = { ...file, max_patches: 4096, patch_size: { height: 8, width: 32 } };
    expect(pix2structProcessorFromHuggingFace(other)).toEqual({
      patchSize: { height: 8, width: 32 },
      maxPatches: 4096,
    });
  });

  it.each([
    [{ ...file, is_vqa: true }, 'is_vqa'],
    [{ ...file, do_normalize: false }, 'do_normalize'],
    [{ ...file, image_processor_type: 'CLIPImageProcessor' }, 'image_processor_type'],
    [{ ...file, max_patches: 0 }, 'maxPatches'],
    [{ ...file, patch_size: 16 }, 'patch_size'],
    ['text', 'content'],
    [null, 'content'],
  ])('refuses what it cannot reproduce: %j', (json, name) => {
    const read = () => pix2structProcessorFromHuggingFace(json);
    expect(read).toThrow(ImageError);
    expect(read).toThrow(name);
  });

  it('takes a file whose question is rendered when that is overridden', () => {
    const overrides = { is_vqa: false } as const;
    expect(pix2structProcessorFromHuggingFace({ ...file, is_vqa: true }, { overrides })).toEqual(pix2structProcessor());
  });
});
