import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createImageReader, type ImageReader, type ImageReaderOptions } from '../../src/loader/image-reader.js';
import { createPixelCache } from '../../src/loader/pixel-cache.js';
import { type ImageFolder, imageFolder, OPTIONS } from './images.js';

let folder: ImageFolder;
beforeAll(async () => {
  folder = await imageFolder();
});
afterAll(() => folder.remove());

const readers: ImageReader[] = [];
afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});

function readerOf(change: Partial<ImageReaderOptions> = {}): ImageReader {
  const reader = createImageReader({
    processor: OPTIONS.imageProcessor,
    workers: 1,
    cacheBytes: 10_000,
    timeout: 60_000,
    ...change,
  });
  readers.push(reader);
  return reader;
}

const { signal } = new AbortController();

describe('createImageReader', () => {
  it('reads an image again when the worker that had it is killed', async () => {
    const reader = readerOf();
    const read = reader.session(signal);
    const files = await Promise.all([60, 61, 62].map((brightness) => folder.add(brightness)));
    const reading = Promise.all(files.map((file) => read(file)));
    await reader.pool.workers[0]!.terminate();
    const pixels = await reading;
    expect(pixels.map(({ data }) => data[0])).toEqual([60, 61, 62]);
    expect(pixels[0]).toMatchObject({ height: 4, width: 4 });
    expect(pixels[0]!.data).toHaveLength(48);
  });

  it('reads an image once, as long as it is asked for at once or held by the cache', async () => {
    const file = await folder.add(70);
    const reader = readerOf();
    const read = reader.session(signal);
    const [first, second] = await Promise.all([read(file), read(file)]);
    expect(second).toBe(first);
    await rm(file);
    expect(await read(file)).toBe(first);
    expect(await reader.session(signal)(file)).toBe(first);
    await expect(readerOf({ cacheBytes: 0 }).session(signal)(file)).rejects.toMatchObject({ name: 'ImageError' });
  });

  it('does not remember a failure', async () => {
    const read = readerOf().session(signal);
    const file = await folder.add(80);
    await rm(file);
    await expect(read(file)).rejects.toThrow(/80\.png/);
    await folder.add(80);
    expect((await read(file)).data[0]).toBe(80);
  });
});

describe('createPixelCache', () => {
  const pixels = (length: number) => ({ data: new Float32Array(length), height: 1, width: length });

  it('forgets what was not used for the longest time', () => {
    const cache = createPixelCache(4 * 30);
    for (const name of ['a', 'b', 'c']) cache.set(name, pixels(10));
    expect(cache.bytes).toBe(120);
    cache.get('a');
    cache.set('d', pixels(10));
    expect(['a', 'b', 'c', 'd'].filter((name) => cache.get(name) !== undefined)).toEqual(['a', 'c', 'd']);
    cache.set('e', pixels(25));
    expect(['a', 'c', 'd', 'e'].filter((name) => cache.get(name) !== undefined)).toEqual(['e']);
    expect(cache.bytes).toBe(100);
  });

  it('replaces, and does not take what can never fit', () => {
    const cache = createPixelCache(4 * 30);
    cache.set('a', pixels(10));
    cache.set('a', pixels(20));
    expect(cache.bytes).toBe(80);
    cache.set('b', pixels(31));
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('a')).toBeDefined();
  });
});
