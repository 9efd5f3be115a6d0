import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { NativeFunction } from '../../../../src/engine/cuda/libraries/native.js';

afterEach(() => {
  vi.doUnmock('koffi');
  vi.resetModules();
});

/** The module as a process has it that has not used it. */
async function freshModule(): Promise<typeof import('../../../../src/engine/cuda/libraries/native.js')> {
  vi.resetModules();
  return import('../../../../src/engine/cuda/libraries/native.js');
}

/** Stacks of so many bytes; changing them may be too late. */
function fakeKoffi(isTooLate: boolean) {
  let config = { sync_stack_size: 2 ** 20, async_stack_size: 2 ** 17 };
  return {
    config(changed?: typeof config) {
      if (changed && isTooLate) throw new Error('Cannot change Koffi configuration once a library has been loaded');
      if (changed) config = changed;
      return config;
    },
  };
}

/** Whether it is called in a thread. */
function fakeFunction() {
  const calls: string[] = [];
  const call = ((value: number) => {
    calls.push('here');
    return value;
  }) as NativeFunction;
  call.async = (value: unknown, done: unknown) => {
    calls.push('thread');
    (done as (error: unknown, result: unknown) => void)(null, value);
  };
  return { call, calls };
}

describe('native code', () => {
  test('is out of reach without koffi, which the error says how to install', async () => {
    vi.doMock('koffi', () => {
      throw new Error("Cannot find package 'koffi'");
    });
    const { loadNative } = await freshModule();
    await expect(loadNative()).rejects.toThrow(
      /cuda engine: start: expected the package koffi.*received none that loads.*npm install koffi/,
    );
  });

  test('runs long calls in threads with deep stacks, else in this one', async () => {
    for (const [isTooLate, where] of [
      [false, 'thread'],
      [true, 'here'],
    ] as const) {
      vi.doMock('koffi', () => ({ default: fakeKoffi(isTooLate) }));
      const { loadNative } = await freshModule();
      const native = await loadNative();
      const { call, calls } = fakeFunction();
      expect(await native.inThread(call, 7)).toBe(7);
      expect(calls).toEqual([where]);
    }
  });

  test('says which file does not load, and through what it was found', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ocelli-native-'));
    try {
      const path = join(folder, 'libnvrtc.so.13');
      writeFileSync(path, 'not a library');
      const { loadNative } = await freshModule();
      const native = await loadNative();
      expect(() => native.load({ name: 'nvrtc', path, origin: 'LD_LIBRARY_PATH', major: 13 })).toThrow(
        /load NVRTC: expected .*libnvrtc\.so\.13 to be a library of this system.*found through LD_LIBRARY_PATH/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('addresses', () => {
  test('are written and read as 64 bits', async () => {
    const { readAddress, writeAddress } = await freshModule();
    const view = new DataView(new ArrayBuffer(16));
    for (const address of [0, 1, 2 ** 32 - 1, 2 ** 32, 0x7f_1234_5678_9abc % 2 ** 53]) {
      writeAddress(view, 8, address);
      expect(view.getBigUint64(8, true)).toBe(BigInt(address));
      expect(readAddress(view, 8)).toBe(address);
    }
  });
});
