import {
  clipImageProcessor,
  type ImageProcessor,
  imageProcessor,
  imageProcessorFromHuggingFace,
  padColour,
  padToSquare,
  preprocessImage,
  type ResampleFilter,
  type RgbImage,
  resize,
  squashImageProcessor,
  targetSize,
} from '../../src/index.js';
import type { FixtureTensor } from './read-fixture.js';

type Tensors = Readonly<Record<string, FixtureTensor>>;

interface ImagesConfig {
  readonly processors: Readonly<Record<string, readonly ['clip' | 'siglip', string, Record<string, unknown>]>>;
  readonly resizes: Readonly<Record<string, readonly [string, readonly [number, number], string]>>;
}

/** Kind `backbones/images`: the processors of CLIP and SigLIP, square padding and Pillow's filters. */
export function computeBackbonesImages(config: ImagesConfig, inputs: Tensors): Tensors {
  const outputs: Record<string, FixtureTensor> = {};
  for (const [name, [family, image, settings]] of Object.entries(config.processors)) {
    const { pad_square: padsToSquare = false, ...file } = settings;
    const processor = imageProcessorFromHuggingFace(
      { ...file, image_processor_type: family === 'clip' ? 'CLIPImageProcessor' : 'SiglipImageProcessor' },
      { overrides: { padToSquare: padsToSquare as boolean } },
    );
    const source = toRgb(inputs[`in.${image}`]!);
    if (processor.padToSquare) {
      outputs[`out.${name}.square`] = fromRgb(padToSquare(source, padColour(processor.mean)));
    }
    outputs[`out.${name}.pixel_values`] = toBatch(source, processor);
  }
  for (const [name, [image, [width, height], filter]] of Object.entries(config.resizes)) {
    const resized = resize(toRgb(inputs[`in.${image}`]!), { width, height }, filter.toLowerCase() as ResampleFilter);
    outputs[`out.${name}.resized`] = fromRgb(resized);
  }
  return outputs;
}

/** Kind `honeybee/image`: squashed to a square. */
export function computeHoneybeeImage(config: { readonly image_size: number }, inputs: Tensors): Tensors {
  const values = preprocessImage(toRgb(inputs['in.image']!), squashImageProcessor(config.image_size));
  return { 'out.pixels': { shape: [3, values.height, values.width], data: values.data } };
}

/** Kind `convllava/preprocess`: padded, cropped or at any aspect ratio. */
export function computeConvllavaPreprocess(
  config: { readonly setting: 'pad' | 'crop' | 'any_aspect'; readonly size: number },
  inputs: Tensors,
): Tensors {
  const processor = imageProcessor({
    ...clipImageProcessor(config.size),
    padToSquare: config.setting === 'pad',
    ...(config.setting === 'any_aspect' ? { crop: null } : {}),
  });
  const source = toRgb(inputs['in.rgb']!);
  const padded = processor.padToSquare ? padToSquare(source, padColour(processor.mean)) : source;
  const resized = resize(padded, targetSize(padded, processor.resize!), processor.filter);
  const values = preprocessImage(source, processor);
  return {
    ...(processor.padToSquare ? { 'out.padded': fromRgb(padded) } : {}),
    'out.resized': fromRgb(resized),
    'out.pixel_values': { shape: [3, values.height, values.width], data: values.data },
  };
}

/** Kind `eagle/image`: CLIP's steps with and without square padding. */
export function computeEagleImage(
  config: { readonly size: number; readonly image_aspect_ratio: 'pad' | 'square' },
  inputs: Tensors,
): Tensors {
  const processor = imageProcessor({
    ...clipImageProcessor(config.size),
    padToSquare: config.image_aspect_ratio === 'pad',
  });
  return { 'out.pixels': toBatch(toRgb(inputs['in.image']!), processor) };
}

/** [height, width, 1, 3 or 4] byte values → RGB: grey is replicated, alpha dropped. */
export function toRgb({ shape, data }: FixtureTensor): RgbImage {
  const [height, width, channels] = shape as [number, number, number];
  const rgb = new Uint8Array(height * width * 3);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = data[pixel * channels + Math.min(channel, channels - 1)]!;
    }
  }
  return { width, height, data: rgb };
}

function fromRgb(image: RgbImage): FixtureTensor {
  return { shape: [image.height, image.width, 3], data: image.data };
}

function toBatch(image: RgbImage, processor: ImageProcessor): FixtureTensor {
  const values = preprocessImage(image, processor);
  return { shape: [1, 3, values.height, values.width], data: values.data };
}
