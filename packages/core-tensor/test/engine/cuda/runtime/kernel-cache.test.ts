import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CudaError } from '../../../../src/engine/cuda/libraries/cuda-error.js';
import {
  createKernelCache,
  hashOf,
  type KernelCache,
  kernelCacheFolder,
} from '../../../../src/engine/cuda/runtime/kernel-cache.js';
import { compilerTarget, createKernelCompiler } from '../../../../src/engine/cuda/runtime/kernel-compiler.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocelli-kernels-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const target = compilerTarget([9, 0], [80, 90]);
const kernel = (name: string, text = '') => ({ name, source: `extern "C" __global__ void ${name}() { ${text} }` });

/** A compiler whose code is the text itself, and a driver that finds functions in it. */
function fakes(cache: KernelCache, options: { readonly version?: readonly [number, number] } = {}) {
  const compiled: string[] = [];
  const loaded: string[] = [];
  const driver = {
    loadModule(image: Uint8Array) {
      const text = Buffer.from(image).toString();
      if (!text.startsWith('image ')) throw failure('cuModuleLoadData', 200);
      return loaded.push(text);
    },
    unloadModule: () => undefined,
    functionOf(module: number, name: string) {
      const index = loaded[module - 1]!.indexOf(`void ${name}(`);
      if (index < 0) throw failure('cuModuleGetFunction', 500);
      return module * 1e6 + index;
    },
  };
  const nvrtc = {
    async compile(text: string) {
      const kernels = text.slice(text.indexOf('extern "C"'));
      compiled.push(kernels);
      if (kernels.includes('wrong')) throw failure('nvrtcCompileProgram', 6);
      return new TextEncoder().encode(`image ${kernels}`);
    },
  };
  const nvrtcVersion = options.version ?? [13, 0];
  return { compiled, loaded, compiler: createKernelCompiler({ driver, nvrtc, nvrtcVersion, target, cache }) };
}

function failure(call: string, code: number): CudaError {
  return new CudaError({ operation: 'x', expected: 'kernels that compile', received: 'line 1: no', call, code });
}

describe('the cache of kernels', () => {
  test('is where the user keeps caches', () => {
    expect(kernelCacheFolder({ OCELLI_CACHE: '/a' })).toBe(join('/a', 'cuda'));
    if (process.platform !== 'win32') {
      expect(kernelCacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/ocelli/cuda');
      expect(kernelCacheFolder({})).toMatch(/\.cache\/ocelli\/cuda$/);
    }
  });

  test('gives back what was written, and leaves nothing unfinished', async () => {
    const cache = createKernelCache(folder);
    const [module, key] = [hashOf(['module']), hashOf(['kernel'])];
    await cache.write(module, Uint8Array.of(1, 2, 3), new Map([[key, 'name']]));
    expect(await cache.find(key)).toEqual({ module, symbol: 'name' });
    expect([...(await cache.readModule(module))!]).toEqual([1, 2, 3]);
    expect(await cache.find(hashOf(['other']))).toBeUndefined();
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.part'))).toEqual([]);
  });

  test('does not take a damaged file for a module', async () => {
    const cache = createKernelCache(folder);
    const module = hashOf(['module']);
    await cache.write(module, Uint8Array.of(1, 2, 3), new Map());
    const path = join(folder, 'modules', `${module}.bin`);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - 1));
    expect(await cache.readModule(module)).toBeUndefined();
    whole[whole.length - 1]! ^= 1;
    writeFileSync(path, whole);
    expect(await cache.readModule(module)).toBeUndefined();
    writeFileSync(path, '');
    expect(await cache.readModule(module)).toBeUndefined();
  });

  test('tells lists of texts apart', () => {
    expect(hashOf(['ab', 'c'])).not.toBe(hashOf(['a', 'bc']));
    expect(hashOf(['a'])).not.toBe(hashOf(['a', '']));
  });
});

describe('the compiler of kernels', () => {
  test('compiles equal texts once, and those asked for together in one go under names of their own', async () => {
    const { compiler, compiled } = fakes(createKernelCache(folder));
    const handles = await Promise.all([
      compiler.compile(kernel('a')),
      compiler.compile(kernel('a')),
      compiler.compile(kernel('a', 'x();')),
    ]);
    expect(handles[0]).toBe(handles[1]);
    expect(handles[0]).not.toBe(handles[2]);
    const names = compiled.flatMap((text) => [...text.matchAll(/void (\w+)\(/g)].map((match) => match[1]));
    expect(new Set(names).size).toBe(2);
    expect(await compiler.compile(kernel('a'))).toBe(handles[0]);
    expect(names).toHaveLength(2);
    await compiler.close();
  });

  test('takes kernels of an earlier process from the cache', async () => {
    const first = fakes(createKernelCache(folder));
    await Promise.all(['a', 'b', 'c'].map((name) => first.compiler.compile(kernel(name))));
    await first.compiler.close();
    const second = fakes(createKernelCache(folder));
    const handles = await Promise.all(['c', 'a'].map((name) => second.compiler.compile(kernel(name))));
    expect(second.compiled).toEqual([]);
    expect(new Set(handles).size).toBe(2);
    await second.compiler.close();
    const other = fakes(createKernelCache(folder), { version: [13, 1] });
    await other.compiler.compile(kernel('a'));
    expect(other.compiled).toHaveLength(1);
    await other.compiler.close();
  });

  test('compiles again what the cache has lost, or the driver refuses', async () => {
    for (const damage of ['', 'not an image']) {
      const first = fakes(createKernelCache(folder));
      await first.compiler.compile(kernel('a'));
      await first.compiler.close();
      const [name] = readdirSync(join(folder, 'modules'));
      if (damage === '') writeFileSync(join(folder, 'modules', name!), damage);
      else await createKernelCache(folder).write(name!.slice(0, 64), new TextEncoder().encode(damage), new Map());
      const second = fakes(createKernelCache(folder));
      expect(await second.compiler.compile(kernel('a'))).toBeGreaterThan(0);
      expect(second.compiled).toHaveLength(1);
      await second.compiler.close();
      const third = fakes(createKernelCache(folder));
      await third.compiler.compile(kernel('a'));
      expect(third.compiled).toEqual([]);
      await third.compiler.close();
    }
  });

  test('names the kernel that does not compile, and compiles the others', async () => {
    const { compiler } = fakes(createKernelCache(folder));
    const results = await Promise.allSettled([
      compiler.compile(kernel('good')),
      compiler.compile(kernel('bad', 'wrong')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((results[1] as PromiseRejectedResult).reason.message).toContain(
      'compile bad: expected kernels that compile',
    );
    await expect(compiler.compile(kernel('bad', 'wrong'))).rejects.toThrow('line 1: no');
    await compiler.close();
  });

  test('does without a cache that it cannot write', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { compiler } = fakes(createKernelCache(join(folder, 'file', 'inside')));
    expect(await compiler.compile(kernel('a'))).toBeGreaterThan(0);
    await compiler.close();
  });

  test('does not begin anything once it is closed', async () => {
    const { compiler, compiled } = fakes(createKernelCache(folder));
    const pending = compiler.compile(kernel('a'));
    pending.catch(() => undefined);
    await compiler.close();
    await expect(pending).rejects.toThrow('one that was closed');
    expect(compiled).toEqual([]);
  });
});

describe('the target', () => {
  test('is the card itself where NVRTC knows it, else a portable form', () => {
    expect(compilerTarget([8, 0], [75, 80, 90])).toEqual({
      form: 'cubin',
      options: ['--gpu-architecture=sm_80', '--std=c++17'],
    });
    expect(compilerTarget([12, 1], [80, 90, 100])).toEqual({
      form: 'ptx',
      options: ['--gpu-architecture=compute_100', '--std=c++17'],
    });
    expect(() => compilerTarget([5, 0], [75, 80])).toThrow(/compute capability 5\.0.*compiles for 7\.5, 8\.0/);
  });
});
