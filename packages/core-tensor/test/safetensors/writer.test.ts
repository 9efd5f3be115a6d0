import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allocate, storageDTypes } from '../../src/dtype.js';
import { CheckpointError } from '../../src/errors.js';
import type { StoredTensor, TensorSource, TensorSources } from '../../src/safetensors/format.js';
import { parseSafetensors, serializeSafetensors } from '../../src/safetensors/memory.js';
import { openSafetensors } from '../../src/safetensors/reader.js';
import { writeFileAtomically } from '../../src/safetensors/staged-file.js';
import { writeSafetensors } from '../../src/safetensors/writer.js';
import { fixture, temporaryFolders } from './files.js';

const newFolder = temporaryFolders();
const one: TensorSource = { dtype: 'float32', shape: [1], data: Float32Array.of(1) };

describe('writeSafetensors', () => {
  it('writes what is read back, for every dtype', async () => {
    const path = join(await newFolder(), 'a.safetensors');
    const tensors = new Map<string, StoredTensor>(
      storageDTypes.map((dtype) => {
        const data = allocate(dtype, 6);
        new Uint8Array(data.buffer).forEach((_, i, bytes) => {
          bytes[i] = (i * 37) % 251;
        });
        return [`tensor of ${dtype}`, { dtype, shape: [2, 3], data } as StoredTensor];
      }),
    );
    tensors.set('scalar', { dtype: 'float32', shape: [], data: Float32Array.of(2.5) });
    tensors.set('empty', { dtype: 'int64', shape: [3, 0], data: new BigInt64Array(0) });
    tensors.set('日本 "quoted" \\ \n', { dtype: 'bool', shape: [1], data: Uint8Array.of(1) });
    await writeSafetensors(path, tensors, { metadata: { format: 'pt', note: 'é' } });
    const reader = await openSafetensors(path);
    expect(reader.metadata).toEqual({ format: 'pt', note: 'é' });
    expect([...reader.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, tensor] of tensors) {
      expect(await reader.read(name), name).toEqual(tensor);
    }
    await reader.close();
    expect(serializeSafetensors(tensors, { metadata: { format: 'pt', note: 'é' } })).toEqual(
      new Uint8Array(readFileSync(path)),
    );
  });

  it('aligns every tensor to its element size', async () => {
    const bytes = serializeSafetensors({
      odd: { dtype: 'uint8', shape: [3], data: new Uint8Array(3) },
      half: { dtype: 'float16', shape: [1], data: new Uint16Array(1) },
      double: { dtype: 'float64', shape: [1], data: Float64Array.of(1) },
      single: one as StoredTensor,
    });
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
    expect(
      Object.entries(header).map(([name, entry]) => [name, (entry as { data_offsets: number[] }).data_offsets]),
    ).toEqual([
      ['double', [0, 8]],
      ['single', [8, 12]],
      ['half', [12, 14]],
      ['odd', [14, 17]],
    ]);
  });

  it('rewrites a Hugging Face shard to the same bytes', async () => {
    const original = readFileSync(fixture('hf_qwen2_sharded/model-00002-of-00003.safetensors'));
    const { tensors, metadata } = parseSafetensors(original);
    const path = join(await newFolder(), 'copy.safetensors');
    await writeSafetensors(path, tensors, { metadata });
    expect(readFileSync(path).equals(original)).toBe(true);
  });

  it('asks for tensors one after the other', async () => {
    const path = join(await newFolder(), 'a.safetensors');
    const events: string[] = [];
    let alive = 0;
    const lazy = (name: string): TensorSource => ({
      dtype: 'int32',
      shape: [2],
      data: async () => {
        alive++;
        events.push(`${name} ${alive}`);
        await new Promise((resolve) => setImmediate(resolve));
        alive--;
        return Int32Array.of(events.length, 0);
      },
    });
    await writeSafetensors(path, { a: lazy('a'), b: lazy('b'), c: lazy('c') });
    expect(events).toEqual(['a 1', 'b 1', 'c 1']);
    const { tensors } = parseSafetensors(readFileSync(path));
    expect([...tensors.values()].map(({ data }) => data[0])).toEqual([1, 2, 3]);
  });

  it('writes views into larger buffers', async () => {
    const path = join(await newFolder(), 'a.safetensors');
    const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    await writeSafetensors(path, { view: { dtype: 'float32', shape: [2], data: view } });
    expect([...parseSafetensors(readFileSync(path)).tensors.get('view')!.data]).toEqual([2, 3]);
  });

  it('replaces an older file, and a link to one', async () => {
    const folder = await newFolder();
    const [path, link] = [join(folder, 'a.safetensors'), join(folder, 'link.safetensors')];
    await writeSafetensors(path, { old: one });
    await symlink(path, link);
    await writeSafetensors(path, { new: one });
    await writeSafetensors(link, { linked: one });
    expect([...parseSafetensors(readFileSync(path)).tensors.keys()]).toEqual(['new']);
    expect([...parseSafetensors(readFileSync(link)).tensors.keys()]).toEqual(['linked']);
    expect((await readdir(folder)).sort()).toEqual(['a.safetensors', 'link.safetensors']);
  });

  it.each<[string, TensorSources, RegExp]>([
    [
      'too few elements',
      { a: { ...one, shape: [2] } as TensorSource },
      /2 elements of float32 for shape \[2\], received Float32Array of 1 elements/,
    ],
    [
      'another kind of array',
      { a: { ...one, data: Int32Array.of(1) } as unknown as TensorSource },
      /received Int32Array of 1/,
    ],
    ['a list', { a: { ...one, data: [1] } as unknown as TensorSource }, /received Array of 1/],
    ['nothing', { a: { ...one, data: undefined } as unknown as TensorSource }, /received undefined of no elements/],
    ['a bad dtype', { a: { ...one, dtype: 'float' } as unknown as TensorSource }, /a dtype among .* received float/],
    ['a negative shape', { a: { ...one, shape: [-1] } as TensorSource }, /non-negative integers, received \[-1\]/],
    ['a reserved name', { __metadata__: one }, /other than __metadata__/],
    ['a name that is not Unicode', { '\ud800': one }, /a name in Unicode/],
    [
      'one name twice',
      [
        ['a', one],
        ['a', one],
      ],
      /every name once/,
    ],
    [
      'wrong data in the end',
      { a: { ...one, data: () => new Float32Array(2) } as TensorSource },
      /received Float32Array of 2/,
    ],
  ])('refuses %s and leaves the older file alone', async (_, tensors, message) => {
    const folder = await newFolder();
    const path = join(folder, 'a.safetensors');
    await writeSafetensors(path, { old: one });
    const error = await writeSafetensors(path, tensors).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as CheckpointError).message).toMatch(message);
    expect((error as CheckpointError).file).toBe(path);
    expect([...parseSafetensors(readFileSync(path)).tensors.keys()]).toEqual(['old']);
    expect(await readdir(folder)).toEqual(['a.safetensors']);
  });

  it('refuses metadata that is not text', async () => {
    const path = join(await newFolder(), 'a.safetensors');
    const metadata = { step: 5 } as unknown as Record<string, string>;
    await expect(writeSafetensors(path, { a: one }, { metadata })).rejects.toThrow(/strings only, received step: 5/);
  });

  it('passes on what a source throws, and leaves nothing', async () => {
    const folder = await newFolder();
    const failure = new Error('device lost');
    const source: TensorSource = { ...one, data: () => Promise.reject(failure) } as TensorSource;
    await expect(writeSafetensors(join(folder, 'a.safetensors'), { a: one, b: source })).rejects.toBe(failure);
    expect(await readdir(folder)).toEqual([]);
  });

  it('names the path that cannot be written', async () => {
    const folder = await newFolder();
    const missing = join(folder, 'missing', 'a.safetensors');
    await expect(writeSafetensors(missing, { a: one })).rejects.toMatchObject({
      name: 'CheckpointError',
      file: missing,
    });
    const taken = join(folder, 'taken');
    await mkdir(join(taken, 'inside'), { recursive: true });
    await expect(writeSafetensors(taken, { a: one })).rejects.toMatchObject({ name: 'CheckpointError', file: taken });
    expect(await readdir(folder)).toEqual(['taken']);
  });
});

describe('writeFileAtomically', () => {
  it('writes text and bytes', async () => {
    const path = join(await newFolder(), 'state.json');
    await writeFileAtomically(path, '{"é":1}');
    expect(await readFile(path, 'utf8')).toBe('{"é":1}');
    await writeFileAtomically(path, Uint8Array.of(1, 2));
    expect([...(await readFile(path))]).toEqual([1, 2]);
  });
});
