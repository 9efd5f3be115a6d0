import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CheckpointError } from '../../src/errors.js';
import { openCheckpoint } from '../../src/safetensors/checkpoint.js';
import { writeCheckpoint } from '../../src/safetensors/write-checkpoint.js';
import { writeSafetensors } from '../../src/safetensors/writer.js';
import { temporaryFolders } from './files.js';

/** The disk under test: how many bytes it takes, and what it answers beyond them or when a file is made or renamed. */
const disk = vi.hoisted(() => ({
  room: Number.POSITIVE_INFINITY,
  onWrite: 'ENOSPC',
  onOpen: undefined as string | undefined,
  onSync: undefined as string | undefined,
  renames: Number.POSITIVE_INFINITY,
}));

vi.mock('node:fs/promises', async (importOriginal) => {
  const actual = await importOriginal<typeof import('node:fs/promises')>();
  const failure = (code: string) => Object.assign(new Error(`${code}: the disk says no`), { code });
  return {
    ...actual,
    async open(path: string, flags: string) {
      if (flags === 'wx' && disk.onOpen !== undefined) {
        throw failure(disk.onOpen);
      }
      const handle = await actual.open(path, flags);
      if (flags !== 'wx') {
        return handle;
      }
      return new Proxy(handle, {
        get(target, property) {
          if (property === 'sync' && disk.onSync !== undefined) {
            return () => Promise.reject(failure(disk.onSync!));
          }
          if (property === 'write') {
            return async (bytes: Uint8Array, offset: number, length: number) => {
              if (disk.room === 0) {
                throw failure(disk.onWrite);
              }
              // A full disk takes what still fits, then answers with an error.
              const taken = Math.min(length, disk.room);
              disk.room -= taken;
              return target.write(bytes, offset, taken);
            };
          }
          const value = Reflect.get(target, property, target) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
    async rename(from: string, to: string) {
      if (disk.renames-- <= 0) {
        throw failure('EIO');
      }
      return actual.rename(from, to);
    },
  };
});

const newFolder = temporaryFolders();
const tensors = (value: number) =>
  Object.fromEntries(
    ['a', 'b', 'c'].map((name) => [
      name,
      { dtype: 'float32', shape: [100], data: new Float32Array(100).fill(value) } as const,
    ]),
  );

afterEach(() => {
  Object.assign(disk, { room: Infinity, onWrite: 'ENOSPC', onOpen: undefined, onSync: undefined, renames: Infinity });
});

describe('a disk that fails', () => {
  it.each([
    ['is full', { room: 700 }, /ENOSPC.*Free space on the volume.*nothing was left behind/],
    ['is full at once', { room: 0 }, /ENOSPC/],
    ['is over quota', { room: 700, onWrite: 'EDQUOT' }, /EDQUOT.*quota/],
    ['may not be written', { onOpen: 'EACCES' }, /EACCES.*permission/],
    ['is read-only', { onOpen: 'EROFS' }, /EROFS.*can be written/],
    ['fails to sync', { onSync: 'EIO' }, /EIO.*Check the volume/],
    ['fails to rename', { renames: 0 }, /EIO/],
  ])('because it %s keeps the older file and no temporary one', async (_, state, message) => {
    const folder = await newFolder();
    const path = join(folder, 'a.safetensors');
    await writeSafetensors(path, tensors(1));
    Object.assign(disk, state);
    const error = await writeSafetensors(path, tensors(2)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as CheckpointError).message).toMatch(message);
    expect(error).toMatchObject({ file: path });
    expect(await readdir(folder)).toEqual(['a.safetensors']);
    const reader = await openCheckpoint(path);
    expect((await reader.read('c')).data[99]).toBe(1);
    await reader.close();
  });

  it('finishes writes that the disk takes in parts', async () => {
    const path = join(await newFolder(), 'a.safetensors');
    disk.room = 5_000_000;
    await writeSafetensors(path, tensors(3));
    const reader = await openCheckpoint(path);
    expect((await reader.read('c')).data[99]).toBe(3);
    await reader.close();
  });

  // Three shards and an index. The room ends in the first shard, in the second, in the third, in the index.
  it.each([100, 700, 1300, 1700])('after %i bytes keeps the older checkpoint', async (room) => {
    const folder = await newFolder();
    await writeCheckpoint(folder, tensors(1), { maxShardBytes: 400 });
    const before = await readdir(folder);
    expect(before).toHaveLength(4);
    disk.room = room;
    await expect(writeCheckpoint(folder, tensors(2), { maxShardBytes: 400 })).rejects.toThrow(/ENOSPC/);
    expect(await readdir(folder)).toEqual(before);
    const reader = await openCheckpoint(folder);
    for (const name of ['a', 'b', 'c']) {
      expect((await reader.read(name)).data[0]).toBe(1);
    }
    await reader.close();
  });

  it.each([0, 1, 2, 3])('after %i renames shows no mixture of checkpoints', async (renames) => {
    const folder = await newFolder();
    await writeCheckpoint(folder, tensors(1), { maxShardBytes: 400 });
    disk.renames = renames;
    await expect(writeCheckpoint(folder, tensors(2), { maxShardBytes: 400 })).rejects.toThrow(/EIO/);
    await expect(openCheckpoint(folder)).rejects.toThrow(/model.safetensors or model.safetensors.index.json/);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    disk.renames = Infinity;
    await writeCheckpoint(folder, tensors(2), { maxShardBytes: 400 });
    const reader = await openCheckpoint(folder);
    expect((await reader.read('a')).data[0]).toBe(2);
    await reader.close();
  });

  it.each([0, 1, 2])('after %i renames still shows the older checkpoint where no name is shared', async (renames) => {
    const folder = await newFolder();
    await writeCheckpoint(folder, tensors(1), { maxShardBytes: 400 });
    disk.renames = renames;
    await expect(writeCheckpoint(folder, tensors(2), { maxShardBytes: 800 })).rejects.toThrow(/EIO/);
    const reader = await openCheckpoint(folder);
    expect((await reader.read('c')).data[0]).toBe(1);
    await reader.close();
  });
});
