import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage, type RgbImage } from '../../src/index.js';
import { type FixtureTensor, fixturePath, readFixture } from './read-fixture.js';

/** [height, width, 1, 3 or 4] byte values → RGB: grey is replicated, alpha dropped. */
function toRgb({ shape, data }: FixtureTensor): RgbImage {
  const [height, width, channels] = shape as [number, number, number];
  const rgb = new Uint8Array(height * width * 3);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = data[pixel * channels + Math.min(channel, channels - 1)]!;
    }
  }
  return { width, height, data: rgb };
}

describe('decoding the PNG files of the fixtures', () => {
  const { config, tensors } = readFixture('backbones/images.safetensors');
  const images = Object.entries((config as { images: Record<string, string> }).images);

  it.each(images)('%s: grey is replicated and alpha dropped', async (name, file) => {
    const image = await decodeImage(fixturePath(`backbones/${file}`));
    expect(image).toEqual(toRgb(tensors[`in.${name}`]!));
  });

  const files = readdirSync(fixturePath('convllava')).filter((name) => name.endsWith('.png'));

  it.each(files.map((name) => `convllava/${name.slice(0, -'.png'.length)}`))('%s', async (file) => {
    const image = await decodeImage(fixturePath(`${file}.png`));
    expect(image).toEqual(toRgb(readFixture(`${file}.safetensors`).tensors['in.rgb']!));
  });
});
