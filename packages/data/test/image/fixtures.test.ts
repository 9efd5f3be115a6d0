import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/index.js';
import {
  computeBackbonesImages,
  computeConvllavaPreprocess,
  computeEagleImage,
  computeHoneybeeImage,
  toRgb,
} from './fixture-kinds.js';
import { type Fixture, fixturePath, readFixture } from './read-fixture.js';

type Compute = (config: never, inputs: Fixture['tensors']) => Fixture['tensors'];

const KINDS: Readonly<Record<string, Compute>> = {
  'backbones/images': computeBackbonesImages,
  'honeybee/image': computeHoneybeeImage,
  'convllava/preprocess': computeConvllavaPreprocess,
  'eagle/image': computeEagleImage,
};

const FILES = [
  'backbones/images',
  'honeybee/image_down',
  'honeybee/image_up',
  'convllava/pre_any_aspect_100x61_rgb',
  'convllava/pre_any_aspect_33x50_l',
  'convllava/pre_crop_100x61_rgb',
  'convllava/pre_pad_100x61_rgb',
  'convllava/pre_pad_21x52_rgb',
  'convllava/pre_pad_40x33_rgba',
  'convllava/pre_pad_45x30_rgb',
  'convllava/pre_pad_48x48_rgb',
  'eagle/image_pad_37x53',
  'eagle/image_square_20x31',
];

/** Outputs that hold bytes; they must be equal, not close. */
const holdsBytes = (name: string): boolean => /\.(square|resized|padded)$/.test(name);

describe.each(FILES)('fixture %s', (file) => {
  const fixture = readFixture(`${file}.safetensors`);
  const outputs = KINDS[fixture.kind]!(fixture.config as never, fixture.tensors);
  const expected = Object.entries(fixture.tensors).filter(([name]) => name.startsWith('out.'));

  it('computes every stored output and no other', () => {
    expect(Object.keys(outputs).sort()).toEqual(expected.map(([name]) => name).sort());
  });

  it.each(expected)('agrees on %s', (name, reference) => {
    const { shape, data } = outputs[name]!;
    expect(shape).toEqual(reference.shape);
    let largest = 0;
    for (let index = 0; index < reference.data.length; index++) {
      largest = Math.max(largest, Math.abs(data[index]! - reference.data[index]!));
    }
    expect(data.length).toBe(reference.data.length);
    expect(largest).toBeLessThanOrEqual(holdsBytes(name) ? 0 : 1e-6);
  });
});

describe('decoding the PNG files of the fixtures', () => {
  const { config, tensors } = readFixture('backbones/images.safetensors');
  const images = Object.entries((config as { images: Record<string, string> }).images);

  it.each(images)('%s: grey is replicated and alpha dropped', async (name, file) => {
    const image = await decodeImage(fixturePath(`backbones/${file}`));
    expect(image).toEqual(toRgb(tensors[`in.${name}`]!));
  });

  it.each(FILES.filter((file) => file.startsWith('convllava/')))('%s', async (file) => {
    const image = await decodeImage(fixturePath(`${file}.png`));
    expect(image).toEqual(toRgb(readFixture(`${file}.safetensors`).tensors['in.rgb']!));
  });
});
