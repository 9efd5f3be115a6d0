import { compareWithFixture, type Fixture, type ParityChecks, type Tensor, tensor } from '@ocelli/core-tensor';
import { padToSquare } from '../image/canvas.js';
import { imageProcessorFromHuggingFace } from '../image/hugging-face-processor.js';
import {
  clipImageProcessor,
  type ImageProcessor,
  imageProcessor,
  squashImageProcessor,
} from '../image/image-processor.js';
import { padColour, preprocessImage, targetSize } from '../image/preprocess.js';
import type { ResampleFilter } from '../image/resample-filter.js';
import { resize } from '../image/resize.js';
import type { RgbImage } from '../image/rgb-image.js';

type Outputs = Record<string, Tensor>;

interface ImagesConfig {
  readonly processors: Readonly<Record<string, readonly ['clip' | 'siglip', string, Record<string, unknown>]>>;
  readonly resizes: Readonly<Record<string, readonly [string, readonly [number, number], string]>>;
}

/** The processors of CLIP and SigLIP, square padding, and Pillow's filters. */
function computeImages(fixture: Fixture): Outputs {
  const { processors, resizes } = fixture.config as ImagesConfig;
  const outputs: Outputs = {};
  for (const [name, [family, image, settings]] of Object.entries(processors)) {
    const { pad_square: padsToSquare = false, ...file } = settings;
    const processor = imageProcessorFromHuggingFace(
      { ...file, image_processor_type: family === 'clip' ? 'CLIPImageProcessor' : 'SiglipImageProcessor' },
      { overrides: { padToSquare: padsToSquare as boolean } },
    );
    const source = inputImage(fixture, image);
    if (processor.padToSquare) outputs[`${name}.square`] = bytesOf(padToSquare(source, padColour(processor.mean)));
    outputs[`${name}.pixel_values`] = pixelsOf(source, processor, 'batch');
  }
  for (const [name, [image, [width, height], filter]] of Object.entries(resizes)) {
    const resized = resize(inputImage(fixture, image), { width, height }, filter.toLowerCase() as ResampleFilter);
    outputs[`${name}.resized`] = bytesOf(resized);
  }
  return outputs;
}

/** Honeybee squashes an image to a square. */
function computeHoneybeeImage(fixture: Fixture): Outputs {
  const { image_size: size } = fixture.config as { readonly image_size: number };
  return { pixels: pixelsOf(inputImage(fixture, 'image'), squashImageProcessor(size), 'image') };
}

/** ConvLLaVA pads, crops, or keeps the aspect ratio. */
function computeConvllavaImage(fixture: Fixture): Outputs {
  const { setting, size } = fixture.config as {
    readonly setting: 'pad' | 'crop' | 'any_aspect';
    readonly size: number;
  };
  const processor = imageProcessor({
    ...clipImageProcessor(size),
    padToSquare: setting === 'pad',
    ...(setting === 'any_aspect' ? { crop: null } : {}),
  });
  const source = inputImage(fixture, 'rgb');
  const padded = processor.padToSquare ? padToSquare(source, padColour(processor.mean)) : source;
  const resized = resize(padded, targetSize(padded, processor.resize!), processor.filter);
  return {
    padded: bytesOf(padded),
    resized: bytesOf(resized),
    pixel_values: pixelsOf(source, processor, 'image'),
  };
}

/** Eagle: CLIP's steps with and without square padding. */
function computeEagleImage(fixture: Fixture): Outputs {
  const { size, image_aspect_ratio: aspect } = fixture.config as {
    readonly size: number;
    readonly image_aspect_ratio: string;
  };
  const processor = imageProcessor({ ...clipImageProcessor(size), padToSquare: aspect === 'pad' });
  return { pixels: pixelsOf(inputImage(fixture, 'image'), processor, 'batch') };
}

/** `in.NAME` [height, width, 1, 3 or 4], byte values of any dtype, as RGB: grey is replicated, alpha dropped. */
function inputImage(fixture: Fixture, name: string): RgbImage {
  const { shape, data } = fixture.tensors.get(`in.${name}`)!;
  const [height, width, channels] = shape as [number, number, number];
  const rgb = new Uint8Array(height * width * 3);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = Number(data[pixel * channels + Math.min(channel, channels - 1)]);
    }
  }
  return { width, height, data: rgb };
}

/** An image as [height, width, 3]. */
function bytesOf({ width, height, data }: RgbImage): Tensor {
  return tensor(data, [height, width, 3], 'uint8');
}

function pixelsOf(image: RgbImage, processor: ImageProcessor, leading: 'image' | 'batch'): Tensor {
  const { data, height, width } = preprocessImage(image, processor);
  return tensor(data, [...(leading === 'batch' ? [1] : []), 3, height, width]);
}

const check = (compute: (fixture: Fixture) => Outputs) => (fixture: Fixture) =>
  compareWithFixture(fixture, { outputs: compute(fixture) });

/** From pixels to what models are given. */
export const imageChecks: ParityChecks = {
  'backbones/images': check(computeImages),
  'honeybee/image': check(computeHoneybeeImage),
  'convllava/preprocess': check(computeConvllavaImage),
  'eagle/image': check(computeEagleImage),
};
