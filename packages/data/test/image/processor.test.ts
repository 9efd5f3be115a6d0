import { describe, expect, it } from 'vitest';
import {
  centreCrop,
  clipImageProcessor,
  ImageError,
  imageProcessor,
  imageProcessorFromHuggingFace,
  imageProcessorToHuggingFace,
  padColour,
  padToSquare,
  pasteOnCanvas,
  preprocessImage,
  type RgbImage,
  samImageProcessor,
  siglipImageProcessor,
  solidImage,
  squashImageProcessor,
  targetSize,
} from '../../src/index.js';

const numbered = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, index) => Math.floor(index / 3) + 1),
});

/** The red channel as rows. */
const rows = ({ width, height, data }: RgbImage): number[][] =>
  Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => data[(y * width + x) * 3]!));

describe('canvas operations', () => {
  it('crop the centre, starting at the lower half pixel', () => {
    expect(rows(centreCrop(numbered(4, 3), { width: 3, height: 2 }))).toEqual([
      [1, 2, 3],
      [5, 6, 7],
    ]);
  });

  it('pad a crop larger than the image with black, more of it first', () => {
    expect(rows(centreCrop(numbered(2, 1), { width: 5, height: 2 }))).toEqual([
      [0, 0, 0, 0, 0],
      [0, 0, 1, 2, 0],
    ]);
  });

  it('crop one axis while padding the other', () => {
    expect(rows(centreCrop(numbered(3, 1), { width: 1, height: 3 }))).toEqual([[0], [2], [0]]);
  });

  it('pad to a square, more of it last', () => {
    expect(rows(padToSquare(numbered(4, 1), [9, 9, 9]))).toEqual([
      [9, 9, 9, 9],
      [1, 2, 3, 4],
      [9, 9, 9, 9],
      [9, 9, 9, 9],
    ]);
  });

  it('paste partly or wholly outside the canvas', () => {
    const size = { width: 2, height: 2 };
    expect(rows(pasteOnCanvas(numbered(3, 3), size, { left: -2, top: -2 }))).toEqual([
      [9, 0],
      [0, 0],
    ]);
    expect(pasteOnCanvas(numbered(3, 3), size, { left: 5, top: 0, colour: [1, 2, 3] })).toEqual(
      solidImage(size, [1, 2, 3]),
    );
    expect(() => pasteOnCanvas(numbered(1, 1), size, { left: 0.5, top: 0 })).toThrow(/integer left and top/);
  });

  it('take the truncated mean as the colour of square padding', () => {
    expect(padColour(clipImageProcessor(8).mean)).toEqual([122, 116, 104]);
    expect(padColour(siglipImageProcessor(8).mean)).toEqual([127, 127, 127]);
  });
});

describe('processors', () => {
  it('truncate the long side', () => {
    expect(targetSize({ width: 640, height: 427 }, { shortestEdge: 336 })).toEqual({ width: 503, height: 336 });
    expect(targetSize({ width: 427, height: 640 }, { shortestEdge: 336 })).toEqual({ width: 336, height: 503 });
  });

  it('give the shapes and value ranges of their towers', () => {
    const image = numbered(16, 10);
    const clip = preprocessImage(image, clipImageProcessor(8));
    const siglip = preprocessImage(image, siglipImageProcessor(12));
    expect([clip.height, clip.width, clip.data.length]).toEqual([8, 8, 192]);
    expect([siglip.height, siglip.width, siglip.data.length]).toEqual([12, 12, 432]);
    expect(Math.max(...siglip.data.map(Math.abs))).toBeLessThanOrEqual(1);
    const white = preprocessImage(solidImage({ width: 3, height: 5 }, [255, 255, 255]), squashImageProcessor(2));
    expect(white.data[0]).toBe(Math.fround(Math.fround(1 - Math.fround(0.48145466)) / Math.fround(0.26862954)));
  });

  it('compute in float32: the rescaled byte is rounded before the mean is subtracted', () => {
    const { data } = preprocessImage(solidImage({ width: 1, height: 1 }, [77, 77, 77]), {
      ...clipImageProcessor(1),
      mean: [0.3, 0.1, 0],
      std: [0.7, 0.7, 1],
    });
    const byte = new Float32Array([77 * (1 / 255)])[0]!;
    const difference = new Float32Array([byte - new Float32Array([0.3])[0]!])[0]!;
    expect(data[0]).toBe(new Float32Array([difference / new Float32Array([0.7])[0]!])[0]);
    expect(data[2]).toBe(byte);
  });

  it('leave bytes alone where no step is asked for', () => {
    const values = preprocessImage(numbered(2, 2), imageProcessor({ resize: null, rescaleFactor: null }));
    expect([...values.data]).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
  });

  it('are plain data that survives JSON', () => {
    const processor = imageProcessor({ resize: { shortestEdge: 30 }, padToSquare: true });
    expect(imageProcessor(JSON.parse(JSON.stringify(processor)))).toEqual(processor);
  });

  it.each([
    [{ resize: { shortestEdge: 0 } }, 'resize'],
    [{ resize: { width: 3 } }, 'resize'],
    [{ resize: null, filter: 'cubic' }, 'filter'],
    [{ resize: null, std: [1, 0, 1] }, 'std'],
    [{ resize: null, centerCrop: true }, 'centerCrop'],
    [{}, 'resize'],
  ])('refuse %j naming the field', (config, field) => {
    expect(() => imageProcessor(config as never)).toThrow(ImageError);
    expect(() => imageProcessor(config as never)).toThrow(field);
  });

  it('refuse a strip whose long side would be enormous', () => {
    const strip = solidImage({ width: 200_000, height: 1 }, [0, 0, 0]);
    expect(() => preprocessImage(strip, clipImageProcessor(336))).toThrow(/at most 178956970 pixels/);
  });
});

describe('imageProcessorFromHuggingFace', () => {
  const clipFile = {
    crop_size: { height: 336, width: 336 },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_processor_type: 'CLIPImageProcessor',
    image_std: [0.26862954, 0.26130258, 0.27577711],
    resample: 3,
    rescale_factor: 0.00392156862745098,
    size: { shortest_edge: 336 },
  };

  it('reads the file of CLIP ViT-L/14-336', () => {
    expect(imageProcessorFromHuggingFace(clipFile)).toEqual(clipImageProcessor(336));
  });

  it('reads older files with integer sizes', () => {
    const file = { feature_extractor_type: 'CLIPFeatureExtractor', size: 512, crop_size: 512, resample: 3 };
    expect(imageProcessorFromHuggingFace(file)).toEqual(clipImageProcessor(512));
  });

  it('reads the file of SigLIP, whose integer size means both sides', () => {
    const file = { image_processor_type: 'SiglipImageProcessor', size: { height: 384, width: 384 } };
    expect(imageProcessorFromHuggingFace(file)).toEqual(siglipImageProcessor(384));
    expect(imageProcessorFromHuggingFace({ ...file, size: 384 })).toEqual(siglipImageProcessor(384));
  });

  it('reads the file of SAM', () => {
    const file = {
      do_convert_rgb: true,
      do_normalize: true,
      do_pad: true,
      do_rescale: true,
      do_resize: true,
      image_mean: [0.485, 0.456, 0.406],
      image_processor_type: 'SamImageProcessor',
      image_std: [0.229, 0.224, 0.225],
      pad_size: { height: 1024, width: 1024 },
      processor_class: 'SamProcessor',
      resample: 2,
      rescale_factor: 0.00392156862745098,
      size: { longest_edge: 1024 },
    };
    expect(imageProcessorFromHuggingFace(file)).toEqual(samImageProcessor());
    expect(imageProcessorFromHuggingFace({ image_processor_type: 'SamImageProcessor' })).toEqual(samImageProcessor());
    expect(imageProcessorFromHuggingFace({ ...file, do_pad: false }).pad).toBe(null);
    const shortest = { ...file, size: { shortest_edge: 1024 } };
    expect(() => imageProcessorFromHuggingFace(shortest)).toThrow('size');
  });

  it('takes missing keys from the family', () => {
    expect(imageProcessorFromHuggingFace({})).toEqual(clipImageProcessor(224));
    expect(imageProcessorFromHuggingFace({ image_processor_type: 'ViTImageProcessor' }).filter).toBe('bilinear');
  });

  it('switches steps off', () => {
    const processor = imageProcessorFromHuggingFace({
      ...clipFile,
      do_resize: false,
      do_center_crop: false,
      do_rescale: false,
      do_normalize: false,
    });
    expect(processor).toEqual(imageProcessor({ resize: null, rescaleFactor: null }));
  });

  it('applies overrides', () => {
    expect(imageProcessorFromHuggingFace(clipFile, { overrides: { padToSquare: true } }).padToSquare).toBe(true);
  });

  it.each([
    [{ ...clipFile, image_processor_type: 'ConvNextImageProcessor' }, 'ConvNextImageProcessor'],
    [{ ...clipFile, do_pad: true }, 'do_pad'],
    [{ ...clipFile, resample: 9 }, 'resample'],
    [{ ...clipFile, image_mean: [0.5] }, 'image_mean'],
    [{ ...clipFile, size: { longest_edge: 800 } }, 'size'],
    ['not an object', 'content'],
    [null, 'content'],
  ])('refuses what it cannot reproduce: %j', (file, name) => {
    const read = () => imageProcessorFromHuggingFace(file, { name: 'tower/preprocessor_config.json' });
    expect(read).toThrow(ImageError);
    expect(read).toThrow(name);
    expect(read).toThrow('tower/preprocessor_config.json');
  });

  it('inverts imageProcessorToHuggingFace', () => {
    for (const processor of [
      clipImageProcessor(48),
      siglipImageProcessor(48),
      squashImageProcessor(48),
      samImageProcessor(48),
      imageProcessor({ resize: { longestEdge: 48 } }),
      imageProcessor({ resize: { width: 40, height: 30 }, crop: { width: 20, height: 20 }, filter: 'lanczos' }),
      imageProcessor({ resize: null, rescaleFactor: null }),
    ]) {
      const json = JSON.parse(JSON.stringify(imageProcessorToHuggingFace(processor))) as unknown;
      expect(imageProcessorFromHuggingFace(json)).toEqual(processor);
    }
    expect(() => imageProcessorToHuggingFace(imageProcessor({ resize: null, padToSquare: true }))).toThrow(
      'padToSquare',
    );
    const mixed = imageProcessor({ resize: { shortestEdge: 8 }, pad: { width: 9, height: 9 } });
    expect(() => imageProcessorToHuggingFace(mixed)).toThrow('pad');
  });
});

describe('samImageProcessor', () => {
  it('rounds the shorter side, and keeps one pixel of a strip', () => {
    const { resize } = samImageProcessor();
    expect(targetSize({ width: 1000, height: 333 }, resize!)).toEqual({ width: 1024, height: 341 });
    expect(targetSize({ width: 333, height: 1000 }, resize!)).toEqual({ width: 341, height: 1024 });
    expect(targetSize({ width: 2048, height: 1 }, resize!)).toEqual({ width: 1024, height: 1 });
    expect(targetSize({ width: 5000, height: 1 }, resize!)).toEqual({ width: 1024, height: 1 });
  });

  it('puts the normalised image in the upper left of zeros', () => {
    const image = solidImage({ width: 4, height: 3 }, [10, 20, 30]);
    const { data, width, height } = preprocessImage(image, samImageProcessor(4));
    expect([width, height]).toEqual([4, 4]);
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    for (let channel = 0; channel < 3; channel++) {
      const plane = data.subarray(channel * 16, (channel + 1) * 16);
      const expected = ((10 * (channel + 1)) / 255 - mean[channel]!) / std[channel]!;
      for (let pixel = 0; pixel < 12; pixel++) expect(plane[pixel]).toBeCloseTo(expected, 5);
      expect([...plane.subarray(12)]).toEqual([0, 0, 0, 0]);
    }
  });

  it('refuses an image larger than what it is padded to', () => {
    const processor = imageProcessor({ resize: null, pad: { width: 3, height: 9 } });
    expect(() => preprocessImage(solidImage({ width: 4, height: 3 }, [0, 0, 0]), processor)).toThrow('at most 3x9');
  });
});
