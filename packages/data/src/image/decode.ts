import { readFile } from 'node:fs/promises';
import sharp, { type Metadata } from 'sharp';
import { ImageError } from './image-error.js';
import { assertRgbImage, MAXIMUM_PIXELS, type RgbImage } from './rgb-image.js';

/** Formats read. Vector graphics and documents are left out: they have no pixels of their own. */
const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'tiff', 'heif', 'avif'] as const;

/** Options of {@link decodeImage}. */
export interface DecodeImageOptions {
  /** What error messages call the image; by default its path, or `image bytes`. */
  readonly name?: string;
  /** Images with more pixels are refused before they are decoded; at most, and by default, 178,956,970. */
  readonly maximumPixels?: number;
}

/**
 * Reads a PNG, JPEG, WebP, GIF, TIFF or AVIF image as 8-bit RGB, with the conversion of Pillow's `convert('RGB')`: alpha
 * is dropped and not composited, grey is replicated, palettes are looked up, 16-bit channels keep their high byte, CMYK
 * is converted without a colour profile. Embedded profiles and EXIF orientation are not applied. Of an animation the
 * first frame is read.
 *
 * @param source a file's path or its bytes
 * @returns an image whose data is [height, width, 3]
 * @throws ImageError if the file is missing, empty, truncated, corrupt, too large or not an image
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeImageOptions = {}): Promise<RgbImage> {
  const name = options.name ?? (typeof source === 'string' ? source : 'image bytes');
  const bytes = typeof source === 'string' ? await readBytes(source, name) : source;
  if (bytes.length === 0) {
    throw refusal(name, 'a file of 0 bytes', 'download or generate the file again');
  }
  const limitInputPixels = Math.min(options.maximumPixels ?? MAXIMUM_PIXELS, MAXIMUM_PIXELS);
  const open = () => sharp(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels });

  let metadata: Metadata;
  try {
    metadata = await open().metadata();
  } catch (cause) {
    throw refusal(name, describe(bytes, cause), remedyFor(cause), cause);
  }
  if (!FORMATS.some((format) => format === metadata.format)) {
    throw refusal(name, `${metadata.format} content`, 'convert it to PNG or JPEG');
  }
  if (metadata.depth !== 'uchar' && metadata.depth !== 'ushort') {
    throw refusal(name, `channels of type ${metadata.depth}`, 'convert it to 8 or 16 bits a channel');
  }

  try {
    if (metadata.space === 'cmyk') {
      const pipeline = open().pipelineColourspace('cmyk').toColourspace('cmyk').raw();
      const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, data: cmykToRgb(data, info.channels) };
    }
    const pipeline = open().removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' });
    const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
    const image = { width: info.width, height: info.height, data: ownBytes(data) };
    assertRgbImage(image, 'decodeImage');
    return image;
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw refusal(name, describe(bytes, cause), remedyFor(cause), cause);
  }
}

/**
 * Encodes an image as an RGB PNG file. The same image gives the same bytes under one version of sharp.
 *
 * @throws ImageError if the image's sides and data do not agree
 */
export async function encodePng(image: RgbImage): Promise<Uint8Array> {
  assertRgbImage(image, 'encodePng');
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  return ownBytes(await sharp(image.data, { raw }).png({ compressionLevel: 6, adaptiveFiltering: false }).toBuffer());
}

async function readBytes(path: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const received =
      code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a directory' : `a read error (${code ?? cause})`;
    throw refusal(name, received, 'check the path and the image folder', cause);
  }
}

function refusal(name: string, received: string, remedy: string, cause?: unknown): ImageError {
  return new ImageError({
    operation: 'decodeImage',
    source: name,
    expected: 'a complete PNG, JPEG, WebP, GIF, TIFF or AVIF image',
    received,
    remedy,
    cause,
  });
}

function describe(bytes: Uint8Array, cause: unknown): string {
  const reason = cause instanceof Error ? cause.message.trim().split('\n')[0]! : String(cause);
  return `${bytes.length} bytes that do not decode (${reason.replace(/:$/, '')})`;
}

function remedyFor(cause: unknown): string {
  if (cause instanceof Error && cause.message.includes('pixel limit')) {
    return 'make the image smaller, or raise maximumPixels where it was lowered';
  }
  return 'download or generate the file again, or remove it from the data set';
}

/** A view that is not a slice of Node's shared buffer pool, so that it may be transferred to a worker. */
function ownBytes(data: Uint8Array): Uint8Array {
  return data.byteLength === data.buffer.byteLength ? new Uint8Array(data.buffer) : Uint8Array.from(data);
}

/** Pillow's conversion (`src/libImaging/Convert.c`): each channel is the light left after black, minus its ink. */
function cmykToRgb(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const light = 255 - data[pixel * channels + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = data[pixel * channels + channel]! * light + 128;
      rgb[pixel * 3 + channel] = Math.max(0, light - (((product >> 8) + product) >> 8));
    }
  }
  return rgb;
}
