import { cpSync, readFileSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointError, ConfigError } from '../../src/errors.js';
import { openCheckpoint } from '../../src/safetensors/checkpoint.js';
import type { StoredTensor } from '../../src/safetensors/format.js';
import { parseSafetensors } from '../../src/safetensors/memory.js';
import { planShards } from '../../src/safetensors/shards.js';
import { writeCheckpoint } from '../../src/safetensors/write-checkpoint.js';
import { writeSafetensors } from '../../src/safetensors/writer.js';
import { fixture, temporaryFolders } from './files.js';

const newFolder = temporaryFolders();
const sharded = fixture('hf_qwen2_sharded');
const shardNames = [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`);

async function copyOfSharded(): Promise<string> {
  const folder = await newFolder();
  cpSync(sharded, folder, { recursive: true });
  return folder;
}

const tensorOf = (length: number, value = 1): StoredTensor => ({
  dtype: 'float32',
  shape: [length],
  data: new Float32Array(length).fill(value),
});

describe('openCheckpoint', () => {
  it.each([
    ['its folder', sharded],
    ['its index', join(sharded, 'model.safetensors.index.json')],
  ])('opens shards by %s', async (_, path) => {
    const reader = await openCheckpoint(path);
    expect(reader.files.map((file) => file.slice(sharded.length + 1)).sort()).toEqual(shardNames);
    expect(reader.metadata).toEqual({ format: 'pt' });
    const inShards = shardNames.flatMap((name) => [...parseSafetensors(readFileSync(join(sharded, name))).tensors]);
    expect([...reader.keys()].sort()).toEqual(inShards.map(([name]) => name).sort());
    for (const [name, tensor] of inShards) {
      expect(reader.info(name).shape).toEqual(tensor.shape);
      expect(await reader.read(name)).toEqual(tensor);
    }
    const rows = await reader.readRange('model.embed_tokens.weight', 2, 4, { as: 'float32' });
    const whole = await reader.read('model.embed_tokens.weight', { as: 'float32' });
    expect(rows.data).toEqual(whole.data.slice(64, 128));
    expect(await reader.readBytes('model.embed_tokens.weight', 0, 3)).toHaveLength(3);
    await expect(reader.read('lm_head.weight')).rejects.toThrow(
      /\(key "lm_head.weight"\): .*26 tensors of other names/,
    );
    await reader.close();
    await expect(reader.read('model.embed_tokens.weight')).rejects.toThrow(/closed/);
  });

  it.each(['hf_llama_single', 'hf_llama_single/model.safetensors'])('opens the single file of %s', async (path) => {
    const reader = await openCheckpoint(fixture(path));
    expect(reader.files).toEqual([fixture('hf_llama_single/model.safetensors')]);
    const stored = new Set(reader.keys().map((key) => reader.info(key).dtype));
    expect([...stored].sort()).toEqual(['bfloat16', 'float16', 'float32']);
    await reader.close();
  });

  it('names a shard that is missing', async () => {
    const folder = await copyOfSharded();
    const shard = join(folder, shardNames[1]!);
    await rm(shard);
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ name: 'CheckpointError', file: shard });
  });

  it('names a tensor that its shard lacks', async () => {
    const folder = await copyOfSharded();
    const shard = join(folder, shardNames[0]!);
    const { tensors } = parseSafetensors(readFileSync(shard));
    await writeSafetensors(shard, [...tensors].slice(1));
    const error = await openCheckpoint(folder).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ file: shard, key: 'model.embed_tokens.weight', received: 'a file without it' });
  });

  it('names a tensor that the index does not list for its shard', async () => {
    const folder = await copyOfSharded();
    const shard = join(folder, shardNames[0]!);
    const { tensors } = parseSafetensors(readFileSync(shard));
    await writeSafetensors(shard, [...tensors, ['extra', tensorOf(1)]]);
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ file: shard, key: 'extra' });
    await writeSafetensors(shard, [...tensors, ['model.norm.weight', tensorOf(1)]]);
    const error = await openCheckpoint(folder).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toMatch(/lists for model-00003-of-00003/);
  });

  it.each([
    ['not JSON', '{', /expected JSON/],
    ['a list', '[]', /an object weight_map/],
    ['without a map', '{"metadata":{}}', /an object weight_map .* received undefined/],
    ['with a list as map', '{"weight_map":[]}', /an object weight_map/],
    ['with a number as file', '{"weight_map":{"a":1}}', /beside the index, received 1/],
    ['with a file in another folder', '{"weight_map":{"a":"../b.safetensors"}}', /beside the index/],
    ['with an absolute file', '{"weight_map":{"a":"/etc/passwd"}}', /beside the index/],
    ['with the folder itself', '{"weight_map":{"a":".."}}', /beside the index/],
    ['with a key twice', '{"weight_map":{"a":"x","a":"y"}}', /every key once/],
  ])('refuses an index %s', async (_, text, message) => {
    const path = join(await newFolder(), 'model.safetensors.index.json');
    await writeFile(path, text);
    const error = await openCheckpoint(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ file: path });
    expect((error as Error).message).toMatch(message);
  });

  it('refuses an index that is not UTF-8', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'model.safetensors.index.json'), Uint8Array.of(0x7b, 0xff, 0x7d));
    await expect(openCheckpoint(folder)).rejects.toThrow(/expected UTF-8/);
  });

  it('says what a folder without a checkpoint holds instead', async () => {
    const folder = await newFolder();
    await expect(openCheckpoint(folder)).rejects.toThrow(/received neither/);
    await writeFile(join(folder, 'pytorch_model.bin'), '');
    await expect(openCheckpoint(folder)).rejects.toThrow(/only pytorch_model.bin\. Convert the PyTorch files/);
    await writeSafetensors(join(folder, 'adapter_model.safetensors'), {});
    await expect(openCheckpoint(folder)).rejects.toThrow(/adapter_model.safetensors.*by its own path/);
    await expect(openCheckpoint(join(folder, 'missing'))).rejects.toThrow(/ENOENT/);
  });
});

describe('planShards', () => {
  const plan = (sizes: readonly number[], limit: number) =>
    [...planShards(new Map(sizes.map((size, i) => [`${i}`, size])), limit)].map(([file, names]) => [
      file.slice(5, -12),
      names.map(Number),
    ]);

  it('is greedy in the given order', () => {
    // The example in the documentation of huggingface_hub: sizes 6, 6, 2, 6, 2, 2 and limit 10.
    expect(plan([6, 6, 2, 6, 2, 2], 10)).toEqual([
      ['-00001-of-00003', [0]],
      ['-00002-of-00003', [1, 2]],
      ['-00003-of-00003', [3, 4, 5]],
    ]);
  });

  it('gives a tensor above the limit a shard of its own, before the one being filled', () => {
    expect(plan([1, 11, 2], 10)).toEqual([
      ['-00001-of-00002', [1]],
      ['-00002-of-00002', [0, 2]],
    ]);
  });

  it('fills a shard up to the limit exactly, and names a single file plainly', () => {
    expect(plan([5, 5], 10)).toEqual([['', [0, 1]]]);
    expect(plan([11], 10)).toEqual([['', [0]]]);
    expect(plan([], 10)).toEqual([['', []]]);
    expect([...planShards(new Map([['a', 1]]), 10).keys()]).toEqual(['model.safetensors']);
  });
});

describe('writeCheckpoint', () => {
  it('writes the shards and the index of Hugging Face, byte for byte', async () => {
    const tensors = shardNames.flatMap((name) => [...parseSafetensors(readFileSync(join(sharded, name))).tensors]);
    const folder = join(await newFolder(), 'new', 'folder');
    const { files, index, totalBytes } = await writeCheckpoint(folder, tensors, { maxShardBytes: 11_000 });
    expect(files).toEqual(shardNames.map((name) => join(folder, name)));
    expect(totalBytes).toBe(30592);
    for (const name of shardNames) {
      expect(readFileSync(join(folder, name)).equals(readFileSync(join(sharded, name))), name).toBe(true);
    }
    const indexName = 'model.safetensors.index.json';
    expect(index).toBe(join(folder, indexName));
    expect(readFileSync(index!, 'utf8').trimEnd()).toBe(readFileSync(join(sharded, indexName), 'utf8').trimEnd());
    expect((await readdir(folder)).sort()).toEqual([...shardNames, indexName].sort());
  });

  it('writes one file without an index, marked for Hugging Face libraries', async () => {
    const folder = await newFolder();
    const written = await writeCheckpoint(folder, { a: tensorOf(2), b: tensorOf(3) });
    expect(written).toEqual({ files: [join(folder, 'model.safetensors')], totalBytes: 20 });
    expect(await readdir(folder)).toEqual(['model.safetensors']);
    const reader = await openCheckpoint(folder);
    expect(reader.metadata).toEqual({ format: 'pt' });
    expect(reader.keys()).toEqual(['a', 'b']);
    await reader.close();
  });

  it('escapes and sorts the keys of the index as Python does', async () => {
    const folder = await newFolder();
    const { index } = await writeCheckpoint(
      folder,
      { é: tensorOf(1), b: tensorOf(1), '"': tensorOf(1) },
      { maxShardBytes: 4 },
    );
    const text = readFileSync(index!, 'utf8');
    expect(text).toContain('"\\u00e9": "model-00001-of-00003.safetensors"');
    expect(Object.keys(JSON.parse(text).weight_map)).toEqual(['"', 'b', 'é']);
    const reader = await openCheckpoint(folder);
    expect((await reader.read('é')).shape).toEqual([1]);
    await reader.close();
  });

  it('replaces a checkpoint of another layout completely, and nothing else', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'config.json'), '{}');
    const tensors = (value: number) => ({ a: tensorOf(1, value), b: tensorOf(1, value), c: tensorOf(1, value) });
    const layouts = [
      { limit: 4, files: 4 },
      { limit: 8, files: 3 },
      { limit: 100, files: 1 },
      { limit: 4, files: 4 },
      { limit: 4, files: 4 },
    ];
    for (const [step, { limit, files }] of layouts.entries()) {
      await writeCheckpoint(folder, tensors(step), { maxShardBytes: limit });
      expect(await readdir(folder)).toHaveLength(files + 1);
      const reader = await openCheckpoint(folder);
      for (const key of ['a', 'b', 'c']) {
        expect((await reader.read(key)).data[0]).toBe(step);
      }
      await reader.close();
    }
    expect(await readdir(folder)).toContain('config.json');
  });

  it('writes over an index that cannot be read', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'model.safetensors.index.json'), 'broken');
    await writeCheckpoint(folder, { a: tensorOf(1) });
    expect(await readdir(folder)).toEqual(['model.safetensors']);
  });

  it('refuses bad limits', async () => {
    for (const maxShardBytes of [0, -1, 1.5, Number.NaN]) {
      await expect(writeCheckpoint(await newFolder(), {}, { maxShardBytes })).rejects.toThrow(ConfigError);
    }
  });
});
