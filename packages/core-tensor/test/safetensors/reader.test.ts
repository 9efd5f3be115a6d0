import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convert, type DType } from '../../src/dtype.js';
import { CheckpointError, DTypeError } from '../../src/errors.js';
import { parseSafetensors } from '../../src/safetensors/memory.js';
import { openSafetensors, type SafetensorsReader } from '../../src/safetensors/reader.js';
import { writeSafetensors } from '../../src/safetensors/writer.js';
import { fileBytes, fixture, temporaryFolders, writeBytes } from './files.js';

interface Expected {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: unknown;
}

const { kind: _, ...expectedTensors } = JSON.parse(readFileSync(fixture('safetensors_dtypes.json'), 'utf8')) as Record<
  string,
  Expected
>;

const names: Record<string, string> = {
  F32: 'float32',
  BF16: 'bfloat16',
  F16: 'float16',
  F64: 'float64',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

function flatten(values: unknown): number[] {
  const flat = Array.isArray(values) ? values.flat(9) : [values];
  return flat.map((value) => (value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value)));
}

describe('the file with one tensor of each dtype', () => {
  const path = fixture('safetensors_dtypes.safetensors');
  let reader: SafetensorsReader;
  beforeAll(async () => {
    reader = await openSafetensors(path);
  });
  afterAll(() => reader.close());

  it('lists tensors in the order of its header, with metadata', () => {
    expect(reader.keys()).toEqual(Object.keys(expectedTensors));
    expect(reader.has('a.first é')).toBe(true);
    expect(reader.has('nothing')).toBe(false);
    expect(reader.metadata).toMatchObject({ format: 'pt', kind: 'backbones/safetensors_dtypes' });
    expect(reader.path).toBe(path);
  });

  it.each(Object.entries(expectedTensors))('holds %s', async (name, { dtype, shape, values }) => {
    const stored = await reader.read(name);
    expect(reader.info(name)).toEqual({ dtype: names[dtype], shape, byteLength: stored.data.byteLength });
    expect(stored.dtype).toBe(names[dtype]);
    expect(stored.shape).toEqual(shape);
    const exact = [...convert(stored.data as Float32Array, stored.dtype as 'float32', 'float64')];
    expect(exact).toEqual(flatten(values));
    const { data } = await reader.read(name, { as: 'float32' });
    expect(data).toBeInstanceOf(Float32Array);
    expect([...data]).toEqual(flatten(values).map(Math.fround));
    expect(parseSafetensors(readFileSync(path)).tensors.get(name)).toEqual(stored);
  });

  it('copies into aligned arrays of their own, whatever the offset in the file', async () => {
    const first = await reader.read('z.last');
    const second = await reader.read('z.last');
    expect(first.data.byteOffset).toBe(0);
    expect(first.data.buffer).not.toBe(second.data.buffer);
    expect(first.data.buffer.byteLength).toBe(24);
  });

  it('reads rows and bytes', async () => {
    expect(await reader.readRange('z.last', 1, 2)).toEqual({
      dtype: 'float32',
      shape: [1, 3],
      data: Float32Array.of(3, 4, 5),
    });
    const rows = await reader.readRange('i64', 0, 2, { as: 'int32' });
    expect(rows.shape).toEqual([2, 2]);
    expect([...rows.data]).toEqual([1, -1, 0, -1]); // the low words of ∓(2⁵³ − 1)
    expect((await reader.readRange('empty', 0, 0)).shape).toEqual([0, 3]);
    expect((await reader.readRange('z.last', 1, 1)).data).toHaveLength(0);
    expect([...(await reader.readBytes('i16'))]).toEqual([0, 128, 255, 127]);
    expect([...(await reader.readBytes('i16', 1, 3))]).toEqual([128, 255]);
  });

  it('reads into an array that is there', async () => {
    const target = new Float32Array(8).fill(7);
    await reader.readInto('z.last', target.subarray(1, 7));
    expect([...target]).toEqual([7, 0, 1, 2, 3, 4, 5, 7]);
    const numbers = new Int32Array((await reader.read('i64')).data.length);
    await reader.readInto('i64', numbers, { as: 'int32' });
    expect(numbers).toEqual((await reader.read('i64', { as: 'int32' })).data);
    await expect(reader.readInto('z.last', new Float32Array(5))).rejects.toThrow(
      'expected an array of 6 elements of float32, received 5 elements in a Float32Array',
    );
    await expect(reader.readInto('z.last', new Int32Array(6))).rejects.toThrow('6 elements in a Int32Array');
  });

  it('reads many tensors at once', async () => {
    const all = await Promise.all(reader.keys().map((name) => reader.read(name)));
    expect(all.map(({ shape }) => shape)).toEqual(Object.values(expectedTensors).map(({ shape }) => shape));
  });

  it('refuses ranges beyond the tensor, and rows of scalars', async () => {
    for (const [begin, end] of [
      [-1, 1],
      [0, 3],
      [2, 1],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      await expect(reader.readRange('z.last', begin, end)).rejects.toThrow(/rows in order between 0 and 2/);
    }
    await expect(reader.readBytes('i16', 0, 5)).rejects.toThrow(/bytes in order between 0 and 4, received 0 to 5/);
    await expect(reader.readRange('scalar', 0, 1)).rejects.toThrow(/at least one axis/);
  });

  it('names the file and the key of a tensor that is not there', async () => {
    const error = await reader.read('weights').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ file: path, key: 'weights' });
    expect((error as Error).message).toMatch(/14 tensors of other names, such as f32, bf16, f16\./);
    expect(() => reader.info('toString')).toThrow(CheckpointError);
  });

  it('refuses dtypes that do not exist', async () => {
    await expect(reader.read('f32', { as: 'float24' as DType })).rejects.toThrow(DTypeError);
  });
});

describe('openSafetensors', () => {
  const newFolder = temporaryFolders();

  it('converts piece by piece without losing an element', async () => {
    const path = join(await newFolder(), 'large.safetensors');
    // Above the 8 MiB that are converted at a time, and no multiple of them.
    const data = Float32Array.from({ length: 5_000_003 }, (_, i) => i);
    await writeSafetensors(path, {
      a: { dtype: 'uint8', shape: [1], data: Uint8Array.of(7) },
      large: { dtype: 'float32', shape: [5_000_003], data },
    });
    const reader = await openSafetensors(path);
    const { data: converted } = await reader.read('large', { as: 'float64' });
    expect(converted).toHaveLength(data.length);
    expect(converted.every((value, i) => value === data[i])).toBe(true);
    const tail = await reader.readRange('large', 5_000_000, 5_000_003, { as: 'int32' });
    expect([...tail.data]).toEqual([5_000_000, 5_000_001, 5_000_002]);
    await reader.close();
  });

  it('refuses folders, missing files and pipes by name, without waiting', async () => {
    const folder = await newFolder();
    await expect(openSafetensors(folder)).rejects.toThrow(/expected a regular file, received a folder/);
    const missing = join(folder, 'missing.safetensors');
    await expect(openSafetensors(missing)).rejects.toMatchObject({ name: 'CheckpointError', file: missing });
    await expect(openSafetensors(missing)).rejects.toThrow(/ENOENT.*Check the path/);
    if (process.platform !== 'win32') {
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      await expect(openSafetensors(pipe)).rejects.toThrow(/a device, pipe or socket/);
    }
  });

  it('names the file of a malformed header', async () => {
    const path = await writeBytes(await newFolder(), 'bad.safetensors', fileBytes({ a: 1 }, 0));
    await expect(openSafetensors(path)).rejects.toMatchObject({ file: path, key: 'a' });
    await expect(openSafetensors(path)).rejects.toThrow(`read safetensors ${path} (key "a"): expected an object`);
  });

  it('notices a file that shrinks while it is open', async () => {
    const path = join(await newFolder(), 'shrinks.safetensors');
    await writeSafetensors(path, { a: { dtype: 'int32', shape: [100], data: new Int32Array(100) } });
    const reader = await openSafetensors(path);
    await truncate(path, 200);
    await expect(reader.read('a')).rejects.toThrow(/bytes, as when it was opened, received 200 bytes/);
    await reader.close();
  });

  it('can be closed twice, and not read afterwards', async () => {
    const reader = await openSafetensors(fixture('safetensors_dtypes.safetensors'));
    await reader.close();
    await reader.close();
    await expect(reader.read('f32')).rejects.toThrow(/an open reader, received one that was closed/);
    expect(reader.keys()).toHaveLength(14);
  });
});
