import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage, encodePng, ImageError, type RgbImage } from '../../src/index.js';
import { GREY, GREY_ALPHA, makePng, PALETTE, RGB, samples16 } from './make-png.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ocelli-decode-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** An image with enough detail that its files have something to cut off. */
const detailed: RgbImage = {
  width: 40,
  height: 30,
  data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, index) => Math.imul(index * index, 0x9e3779b1) >>> 24),
};
const raw = { width: 40, height: 30, channels: 3 } as const;

const replicated = (values: readonly number[]): number[] => values.flatMap((value) => [value, value, value]);

describe('decodeImage converts to RGB as Pillow does', () => {
  const wide = [0, 255, 256, 0x7fff, 0x80ff, 0xff00, 0xffff];
  const high = wide.map((value) => value >> 8);

  it('keeps the high byte of 16-bit grey, grey with alpha and RGB', async () => {
    const grey = makePng(7, { depth: 16, colourType: GREY, row: samples16(wide) });
    const alpha = makePng(7, {
      depth: 16,
      colourType: GREY_ALPHA,
      row: samples16(wide.flatMap((value) => [value, 77])),
    });
    const rgb = makePng(7, { depth: 16, colourType: RGB, row: samples16(replicated(wide)) });
    for (const file of [grey, alpha, rgb]) {
      expect([...(await decodeImage(file)).data]).toEqual(replicated(high));
    }
  });

  it('looks up palettes, also of fewer bits, and ignores their transparency', async () => {
    const palette = Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80, 90);
    const file = makePng(4, {
      depth: 2,
      colourType: PALETTE,
      row: Uint8Array.of(0b00_01_10_01),
      chunks: [
        ['PLTE', palette],
        ['tRNS', Uint8Array.of(0, 128)],
      ],
    });
    expect([...(await decodeImage(file)).data]).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 40, 50, 60]);
  });

  it('drops alpha without compositing', async () => {
    const rgba = { width: 2, height: 1, channels: 4 } as const;
    const file = await sharp(Uint8Array.of(200, 100, 50, 0, 1, 2, 3, 128), { raw: rgba })
      .png()
      .toBuffer();
    expect([...(await decodeImage(file)).data]).toEqual([200, 100, 50, 1, 2, 3]);
  });

  it('converts CMYK without a profile: the light left after black, minus the ink', async () => {
    const cmyk = await sharp(detailed.data, { raw }).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const { data } = await sharp(cmyk)
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { data: rgb } = await decodeImage(cmyk);
    for (const pixel of [0, 311, 1199]) {
      const light = 255 - data[4 * pixel + 3]!;
      for (let channel = 0; channel < 3; channel++) {
        const expected = light - Math.round((data[4 * pixel + channel]! * light) / 255);
        expect(rgb[3 * pixel + channel]).toBe(expected);
      }
    }
  });

  it('applies no EXIF orientation and no embedded profile', async () => {
    const plain = await sharp(detailed.data, { raw }).png().toBuffer();
    const turned = await sharp(detailed.data, { raw }).withMetadata({ orientation: 6 }).png().toBuffer();
    const profiled = await sharp(detailed.data, { raw }).png().withIccProfile('p3', { attach: true }).toBuffer();
    const expected = await decodeImage(plain);
    expect(expected).toEqual(detailed);
    expect(await decodeImage(turned)).toEqual(expected);
    const stored = await sharp(profiled, { ignoreIcc: true }).raw().toBuffer();
    expect((await sharp(profiled).metadata()).hasProfile).toBe(true);
    expect([...(await decodeImage(profiled)).data]).toEqual([...stored]);
  });

  it.each(['jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('reads %s', async (format) => {
    const flat = { width: 20, height: 10, channels: 3, background: { r: 200, g: 40, b: 90 } } as const;
    const image = await decodeImage(await sharp({ create: flat }).toFormat(format).toBuffer());
    expect([image.width, image.height, image.data.length]).toEqual([20, 10, 600]);
    [200, 40, 90].forEach((value, channel) => {
      expect(Math.abs(image.data[300 + channel]! - value)).toBeLessThanOrEqual(4);
    });
  });

  it('reads a file by its path, and the same path again after it changed', async () => {
    const path = join(directory, 'changing.png');
    await writeFile(path, await encodePng(detailed));
    expect(await decodeImage(path)).toEqual(detailed);
    const other = { ...detailed, data: detailed.data.map((value) => 255 - value) };
    await writeFile(path, await encodePng(other));
    expect(await decodeImage(path)).toEqual(other);
  });
});

const half = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length >> 1);
const flipBit = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 4 : byte));

describe('decodeImage refuses what is not a whole image', () => {
  const cases: Readonly<Record<string, { readonly bytes: () => Promise<Uint8Array>; readonly message: RegExp }>> = {
    'an empty file': { bytes: async () => new Uint8Array(0), message: /0 bytes/ },
    text: { bytes: async () => Buffer.from('<html>Not found</html>'), message: /do not decode/ },
    'a vector graphic': {
      bytes: async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'),
      message: /svg content/,
    },
    'a truncated PNG': {
      bytes: async () => half(await encodePng(detailed)),
      message: /do not decode/,
    },
    'a truncated JPEG': {
      bytes: async () => half(await sharp(detailed.data, { raw }).jpeg().toBuffer()),
      message: /do not decode/,
    },
    'a PNG cut inside its header': {
      bytes: async () => (await encodePng(detailed)).subarray(0, 20),
      message: /do not decode/,
    },
    'a PNG with a flipped bit': {
      bytes: async () => flipBit(await encodePng(detailed)),
      message: /do not decode/,
    },
  };

  it.each(Object.entries(cases))('%s', async (name, { bytes, message }) => {
    const path = join(directory, `${name.replaceAll(' ', '-')}.png`);
    await writeFile(path, await bytes());
    const error = await decodeImage(path).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ImageError);
    expect((error as ImageError).message).toMatch(message);
    expect((error as ImageError).source).toBe(path);
    expect((error as ImageError).remedy).not.toBe('');
  });

  it('a missing file and a directory, each by name', async () => {
    const missing = join(directory, 'missing.png');
    await expect(decodeImage(missing)).rejects.toThrow(`(${missing}): expected`);
    await expect(decodeImage(missing)).rejects.toThrow('no such file');
    await expect(decodeImage(directory)).rejects.toThrow('a directory');
  });

  it('bytes under the name given', async () => {
    await expect(decodeImage(Uint8Array.of(1, 2, 3), { name: 'shard 3, row 17' })).rejects.toThrow('(shard 3, row 17)');
  });

  it('more pixels than allowed', async () => {
    const file = await encodePng(detailed);
    await expect(decodeImage(file, { maximumPixels: 1199 })).rejects.toThrow(/pixel limit/);
    expect((await decodeImage(file, { maximumPixels: 1200 })).width).toBe(40);
  });
});

describe('encodePng', () => {
  it('writes a PNG that decodes to the same bytes', async () => {
    const file = await encodePng(detailed);
    expect([...file.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
    expect(await decodeImage(file)).toEqual(detailed);
  });

  it('refuses an image whose data does not fit its sides', async () => {
    await expect(encodePng({ width: 4, height: 4, data: new Uint8Array(47) })).rejects.toThrow(/48 bytes/);
  });
});
