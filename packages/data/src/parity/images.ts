import {
  compareExactly,
  compareWithFixture,
  type Fixture,
  type ParityChecks,
  type ParityResult,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import { padToSquare } from '../image/canvas.js';
import { imageProcessorFromHuggingFace } from '../image/hugging-face-processor.js';
import {
  clipImageProcessor,
  type ImageProcessor,
  imageProcessor,
  squashImageProcessor,
} from '../image/image-processor.js';
import { flattenPatches, pix2structProcessor } from '../image/pix2struct.js';
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
interface ConvllavaConfig {
  readonly setting: 'pad' | 'crop' | 'any_aspect';
  readonly size: number;
}

function convllavaProcessor({ setting, size }: ConvllavaConfig): ImageProcessor {
  return imageProcessor({
    ...clipImageProcessor(size),
    padToSquare: setting === 'pad',
    ...(setting === 'any_aspect' ? { crop: null } : {}),
  });
}

/** Sides of the pixels that images of many sizes become. */
async function compareConvllavaSizes(fixture: Fixture): Promise<ParityResult> {
  const { cases } = fixture.config as {
    readonly cases: readonly (ConvllavaConfig & Record<'width' | 'height' | 'pixel_width' | 'pixel_height', number>)[];
  };
  const computed = cases.map((each) => {
    const processor = convllavaProcessor(each);
    const long = Math.max(each.width, each.height);
    const resized = targetSize(processor.padToSquare ? { width: long, height: long } : each, processor.resize!);
    const { width, height } = processor.crop ?? resized;
    return { ...each, pixel_width: width, pixel_height: height };
  });
  return compareExactly(computed, cases, 'cases');
}

function computeConvllavaImage(fixture: Fixture): Outputs {
  const processor = convllavaProcessor(fixture.config as ConvllavaConfig);
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

/** Eagle's last expert: each image standardised, resized to whole patches, and cut. */
function computePix2StructPatches(fixture: Fixture): Outputs {
  const { patch, max_patches: maxPatches } = fixture.config as { readonly patch: number; readonly max_patches: number };
  const processor = pix2structProcessor({ patchSize: { height: patch, width: patch }, maxPatches });
  const { shape, data } = fixture.tensors.get('in.images')!;
  const [count, channels, height, width] = shape as [number, number, number, number];
  const size = channels * height * width;
  const flattened = Array.from({ length: count }, (_, image) =>
    flattenPatches({ data: (data as Float32Array).slice(image * size, (image + 1) * size), height, width }, processor),
  );
  const joined = (values: readonly Float32Array[]) => Float32Array.from(values.flatMap((each) => [...each]));
  return {
    flattened_patches: tensor(joined(flattened.map((each) => each.data)), [count, ...flattened[0]!.shape]),
    attention_mask: tensor(joined(flattened.map((each) => each.attentionMask)), [count, maxPatches]),
  };
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
  'convllava/token_counts': compareConvllavaSizes,
  'eagle/image': check(computeEagleImage),
  'eagle/pix2struct_patches': check(computePix2StructPatches),
};
