import { ConfigError, convert } from '@ocelli/core-tensor';
import type { PanopticSegmentation } from './findings.js';

/** PASCAL VOC's colour of a number: its bits, three at a time, are the highest bits of red, green and blue. */
export function segmentColour(number: number): readonly [red: number, green: number, blue: number] {
  const colour: [number, number, number] = [0, 0, 0];
  for (let bit = 0, rest = number; bit < 8; bit++, rest >>= 3) {
    for (const channel of [0, 1, 2] as const) colour[channel] |= ((rest >> channel) & 1) << (7 - bit);
  }
  return colour;
}

/** Colours that the published model knows: of no segment, and of 133 segments. */
export const colourCount = 134;

/** A segmentation as a picture, by the numbers of its segments, not by their classes: RGB bytes [height, width, 3]. */
export function panopticImage({ ids }: PanopticSegmentation): Uint8Array {
  const colours = Array.from({ length: colourCount }, (_, number) => segmentColour(number));
  const image = new Uint8Array(ids.length * 3);
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = Math.max(0, ids[pixel]!);
    const colour = colours[id];
    if (!colour) {
      throw new ConfigError({
        operation: 'panopticImage',
        expected: `segments numbered up to ${colourCount - 1}`,
        received: String(id),
      });
    }
    image.set(colour, pixel * 3);
  }
  return image;
}

/** CLIP's mean and deviation of each channel, for values 0 … 1. */
export const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
export const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

/** Options of {@link panopticPixels}. */
export interface PanopticPixelsOptions {
  /**
   * Range of the colours as they are normalised. `unit`: 0 … 1, although the normalisation is for 0 … 255, so that the
   * picture is almost uniform, as the published model was trained with. `bytes`: 0 … 255, as photographs. Default:
   * `unit`.
   */
  readonly range?: 'unit' | 'bytes';
  /** Of each channel, for values 0 … 1. Default: CLIP's. */
  readonly mean?: readonly [number, number, number];
  /** Of each channel, for values 0 … 1. Default: CLIP's. */
  readonly std?: readonly [number, number, number];
}

/** A segmentation as the vision tower reads it, normalised like a photograph: [3, height, width]. */
export function panopticPixels(
  segmentation: PanopticSegmentation,
  { range = 'unit', mean = clipMean, std = clipStd }: PanopticPixelsOptions = {},
): Float32Array {
  const image = panopticImage(segmentation);
  const area = image.length / 3;
  const bytes = Float32Array.from({ length: 256 }, (_, byte) => (range === 'unit' ? byte / 255 : byte));
  const values = range === 'unit' ? convert(convert(bytes, 'float32', 'float16'), 'float16', 'float32') : bytes;
  const pixels = new Float32Array(image.length);
  for (let channel = 0; channel < 3; channel++) {
    const [centre, spread] = [255 * mean[channel]!, 255 * std[channel]!];
    for (let pixel = 0; pixel < area; pixel++) {
      pixels[channel * area + pixel] = (values[image[pixel * 3 + channel]!]! - centre) / spread;
    }
  }
  return pixels;
}
