import { tmpdir } from 'node:os';
import type { CudaReport, LibraryReport } from '@ocelli/core-tensor/cuda';
import { describe, expect, it } from 'vitest';
import { describeCuda } from '../../src/doctor/checks/cuda.js';
import { checkDiskSpace } from '../../src/doctor/checks/disk-space.js';
import { checkImageDecoding } from '../../src/doctor/checks/image-decoding.js';
import { checkMemory } from '../../src/doctor/checks/memory.js';
import { checkNodeVersion } from '../../src/doctor/checks/node-version.js';
import { describeCudaProvider } from '../../src/doctor/checks/onnx-cuda-provider.js';
import { checkOnnxRuntime } from '../../src/doctor/checks/onnx-runtime.js';
import { describeProcessor } from '../../src/doctor/checks/processor.js';

const gibibyte = 2 ** 30;

function fails(): never {
  throw new Error('cannot open shared object file\nmore');
}

describe('checks', () => {
  it.each([
    ['20.18.3', 'problem'],
    ['20.19.0', 'ok'],
    ['18.20.0', 'problem'],
    ['22.0.0', 'ok'],
  ] as const)('Node %s is %s', (version, status) => {
    const result = checkNodeVersion(version);
    expect(result).toMatchObject({ name: 'Node', status });
    expect(result.remedy).toBe(status === 'ok' ? undefined : 'nvm install 22');
  });

  it('lists the providers of onnxruntime-node by what comes with it', () => {
    const backends = [
      { name: 'cpu', bundled: true },
      { name: 'webgpu', bundled: true },
      { name: 'cuda', bundled: false },
    ];
    const runtime = { env: { versions: { node: '1.2.3' } }, listSupportedBackends: () => backends };
    expect(checkOnnxRuntime(() => runtime)).toEqual({
      name: 'onnxruntime-node',
      status: 'ok',
      detail: '1.2.3, providers cpu, webgpu; cuda after installation',
    });
    const bundled = { ...runtime, listSupportedBackends: () => backends.slice(0, 1) };
    expect(checkOnnxRuntime(() => bundled).detail).toBe('1.2.3, providers cpu');
  });

  it('says that a native library does not load, in one line, with a remedy', () => {
    expect(checkOnnxRuntime(fails)).toMatchObject({
      status: 'problem',
      detail: 'does not load: cannot open shared object file',
    });
    expect(checkImageDecoding(fails)).toMatchObject({
      status: 'problem',
      detail: 'sharp does not load: cannot open shared object file',
    });
    expect(checkOnnxRuntime(fails).remedy).toMatch(/^npm install onnxruntime-node/);
    expect(checkImageDecoding(fails).remedy).toMatch(/sharp$/);
    expect(checkImageDecoding(() => ({ versions: { sharp: '1.0', vips: '8.1' } })).detail).toBe(
      'sharp 1.0, libvips 8.1',
    );
  });

  it.each([
    [3 * gibibyte, 'ok'],
    [gibibyte, 'warning'],
    [100 * 2 ** 20, 'problem'],
  ] as const)('a disk with %i free bytes is %s', async (free, status) => {
    const result = await checkDiskSpace('here', '/data', async () => free);
    expect(result).toMatchObject({ name: 'disk (here)', status });
    expect(result.detail).toBe(`${(free / gibibyte).toFixed(1)} GiB free at /data`);
  });

  it('measures a real disk, and says which folder is missing', async () => {
    expect((await checkDiskSpace('temporary', tmpdir())).detail).toMatch(/^\d+\.\d GiB free at /);
    expect(await checkDiskSpace('here', '/no/such/folder')).toMatchObject({
      status: 'problem',
      detail: expect.stringContaining('ENOENT'),
      remedy: 'mkdir -p /no/such/folder',
    });
  });

  it('warns of little memory', () => {
    expect(checkMemory(8 * gibibyte, 16 * gibibyte)).toMatchObject({
      status: 'ok',
      detail: '8.0 GiB of 16.0 GiB available',
    });
    expect(checkMemory(1.5 * gibibyte, 2 * gibibyte)).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(/^1\.5 GiB of 2\.0 GiB/),
    });
    expect(checkMemory().detail).toMatch(/^\d+\.\d GiB of \d+\.\d GiB/);
  });

  it('warns of a processor without AVX2, unless it has NEON or does not tell', () => {
    const processor = { model: 'A processor', threads: 8 };
    const withFlags = (...flags: string[]) => describeProcessor({ ...processor, flags: new Set(flags) });
    expect(withFlags('sse2', 'fma', 'avx2', 'avx512f')).toEqual({
      name: 'processor',
      status: 'ok',
      detail: '8 threads, A processor, AVX2 FMA AVX-512',
    });
    expect(withFlags('asimd').status).toBe('ok');
    expect(withFlags('sse2').status).toBe('warning');
    expect(describeProcessor({ ...processor, flags: undefined })).toMatchObject({
      status: 'ok',
      detail: '8 threads, A processor',
    });
  });

  it('asks for the libraries of the CUDA provider only where it is installed and there is a driver', () => {
    const all = ['libcuda.so.1', 'libcudart.so.12', 'libcublasLt.so.12', 'libcudnn.so.9'];
    expect(describeCudaProvider({ driver: undefined, libraries: [], hasProvider: true })).toEqual([]);
    expect(describeCudaProvider({ driver: '570.1', libraries: all, hasProvider: false })).toEqual([]);
    expect(describeCudaProvider({ driver: '570.1', libraries: all.slice(0, 3), hasProvider: true })).toMatchObject([
      {
        status: 'warning',
        detail: 'driver 570.1; not found: libcudnn.so',
        remedy: expect.stringContaining('libcudnn9'),
      },
    ]);
    expect(describeCudaProvider({ driver: '570.1', libraries: all, hasProvider: true })[0]!.status).toBe('ok');
  });

  describe('of CUDA', () => {
    const library = (name: LibraryReport['name'], rest: Partial<LibraryReport> = {}): LibraryReport => ({
      name,
      title: `title of ${name}`,
      purpose: 'a purpose',
      required: name !== 'cudnn' && name !== 'nccl',
      without: 'kernels of its own',
      path: `/somewhere/${name}`,
      version: '1.2',
      problem: undefined,
      install: `install ${name}`,
      ...rest,
    });
    const names = ['driver', 'nvrtc', 'cublasLt', 'cudnn', 'nccl'] as const;
    const card = {
      index: 0,
      name: 'A card',
      capability: [9, 0],
      totalBytes: 80 * gibibyte,
      multiprocessors: 132,
      sharedBytes: 232448,
    } as const;
    const report: CudaReport = {
      libraries: names.map((name) => library(name)),
      devices: [card],
      deviceProblem: undefined,
      hasKoffi: true,
    };
    const without = (name: LibraryReport['name']): CudaReport => ({
      ...report,
      libraries: names.map((each) => library(each, each === name ? { path: undefined, version: undefined } : {})),
    });

    it('has nothing to say without a driver', () => {
      expect(describeCuda({ ...without('driver'), devices: [] })).toEqual([
        { name: 'CUDA', status: 'ok', detail: 'no NVIDIA driver; the CPU computes' },
      ]);
    });

    it('names card, libraries, versions and places', () => {
      const results = describeCuda(report);
      expect(results.map(({ status }) => status)).toEqual(results.map(() => 'ok'));
      expect(results[0]).toMatchObject({
        name: 'CUDA',
        detail:
          'driver for 1.2 (/somewhere/driver); card 0: A card, compute capability 9.0, 80.0 GiB, 132 multiprocessors',
      });
      expect(results.slice(1).map(({ name }) => name)).toEqual(names.slice(1).map((name) => `title of ${name}`));
      expect(results[1]!.detail).toBe('1.2 (/somewhere/nvrtc)');
      expect(results[3]!.detail).toBe('1.2 (/somewhere/cudnn); not used: kernels of its own');
    });

    it('says what to install for what is missing', () => {
      const [, nvrtc] = describeCuda(without('nvrtc'));
      expect(nvrtc).toEqual({
        name: 'title of nvrtc',
        status: 'warning',
        detail: 'not found; for a purpose',
        remedy: 'install nvrtc',
      });
      const cudnn = describeCuda(without('cudnn'))[3]!;
      expect(cudnn.status).toBe('ok');
      expect(cudnn.detail).toBe('not found, nor needed: kernels of its own');
    });

    it('says why a library is of no use, that there is no card, and that koffi is missing', () => {
      const broken = { ...report, libraries: [library('driver'), library('nvrtc', { problem: 'it is for CUDA 13' })] };
      expect(describeCuda(broken)[1]).toMatchObject({
        status: 'warning',
        detail: '/somewhere/nvrtc: it is for CUDA 13',
      });
      expect(describeCuda({ ...report, devices: [], deviceProblem: 'no CUDA-capable device' })[0]).toMatchObject({
        status: 'warning',
        detail: 'driver for 1.2 (/somewhere/driver); no card: no CUDA-capable device',
      });
      expect(describeCuda({ ...report, hasKoffi: false })[0]).toMatchObject({
        status: 'warning',
        remedy: 'npm install koffi',
      });
    });
  });
});
