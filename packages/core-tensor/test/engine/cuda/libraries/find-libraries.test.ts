import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCudaLibraries, fittingLibraries } from '../../../../src/engine/cuda/libraries/find-libraries.js';
import type { SearchSurroundings } from '../../../../src/engine/cuda/libraries/search-folders.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ocelli-cuda-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(...path: string[]): string {
  const file = join(root, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

function around(rest: Partial<SearchSurroundings> = {}): SearchSurroundings {
  return {
    variables: {},
    platform: 'linux',
    home: join(root, 'home'),
    system: [],
    local: join(root, 'local'),
    loaderCache: () => '',
    ...rest,
  };
}

const pathsOf = (found: readonly { readonly path: string }[]) => found.map(({ path }) => path.slice(root.length + 1));

describe('libraries are found', () => {
  test('in the folders of OCELLI_CUDA_LIBRARIES first, in its order', () => {
    put('a', 'libnvrtc.so.12');
    put('b', 'libnvrtc.so.12');
    put('b', 'libcuda.so.1');
    put('c', 'libnvrtc.so.13');
    const variables = {
      OCELLI_CUDA_LIBRARIES: [join(root, 'b'), join(root, 'missing'), join(root, 'a')].join(delimiter),
      LD_LIBRARY_PATH: join(root, 'c'),
    };
    const { found, searched } = findCudaLibraries(around({ variables }));
    expect(pathsOf(found.nvrtc)).toEqual(['b/libnvrtc.so.12', 'a/libnvrtc.so.12', 'c/libnvrtc.so.13']);
    expect(found.nvrtc.map(({ origin }) => origin)).toEqual([
      'OCELLI_CUDA_LIBRARIES',
      'OCELLI_CUDA_LIBRARIES',
      'LD_LIBRARY_PATH',
    ]);
    expect(pathsOf(found.driver)).toEqual(['b/libcuda.so.1']);
    expect(searched[1]).toEqual({ path: join(root, 'missing'), origin: 'OCELLI_CUDA_LIBRARIES' });
  });

  test('in the environment of the Python on the path, also behind a link', () => {
    put('env', 'bin', 'python3.12');
    const library = put('env', 'lib', 'python3.12', 'site-packages', 'nvidia', 'cu13', 'lib', 'libcublasLt.so.13');
    mkdirSync(join(root, 'bin'));
    symlinkSync(join(root, 'env', 'bin', 'python3.12'), join(root, 'bin', 'python3'));
    const variables = { PATH: [join(root, 'missing'), join(root, 'bin')].join(delimiter) };
    expect(findCudaLibraries(around({ variables })).found.cublasLt).toMatchObject([
      { path: library, origin: 'Python packages' },
    ]);
  });

  test('by their own names only: no stubs, no parts, no alternatives', () => {
    for (const name of [
      'libnvrtc-builtins.so.13.0',
      'libnvrtc.alt.so.13',
      'libnvrtc_static.a',
      'libcublas.so.13',
      'libcublasLt_static.a',
      'libcudart.so.13',
      'libcuda.so.570.86',
      'libcudnn_graph.so.9',
    ])
      put('lib', name);
    put('lib', 'stubs', 'libcuda.so.1');
    const { found } = findCudaLibraries(
      around({ variables: { LD_LIBRARY_PATH: `${join(root, 'lib')}${delimiter}${join(root, 'lib', 'stubs')}` } }),
    );
    for (const candidates of Object.values(found)) expect(candidates).toEqual([]);
  });

  test('once, however many names a file has; the major version is that of the file behind them', () => {
    put('lib', 'libcublasLt.so.12.8.4');
    symlinkSync('libcublasLt.so.12.8.4', join(root, 'lib', 'libcublasLt.so.12'));
    symlinkSync('libcublasLt.so.12', join(root, 'lib', 'libcublasLt.so'));
    put('other', 'libcudnn.so.9.1.0');
    symlinkSync('libcudnn.so.9.1.0', join(root, 'other', 'libcudnn.so'));
    symlinkSync('nowhere.so', join(root, 'other', 'libnccl.so.2'));
    const variables = { LD_LIBRARY_PATH: [join(root, 'lib'), join(root, 'other')].join(delimiter) };
    const { found } = findCudaLibraries(around({ variables }));
    expect(found.cublasLt).toMatchObject([{ path: join(root, 'lib', 'libcublasLt.so.12'), major: 12 }]);
    expect(found.cudnn).toMatchObject([{ major: 9 }]);
    expect(found.nccl).toEqual([]);
  });

  test("through the loader's cache, toolkits, conda and CUDA_HOME", () => {
    put('cached', 'libcuda.so.1');
    put('local', 'cuda-12.8', 'lib64', 'libnvrtc.so.12');
    put('local', 'cuda-13.0', 'lib64', 'libnvrtc.so.13');
    put('local', 'cudatools', 'lib64', 'libnvrtc.so.14');
    put('conda', 'lib', 'libcudnn.so.9');
    put('conda', 'targets', 'x86_64-linux', 'lib', 'libnccl.so.2');
    put('toolkit', 'targets', 'sbsa-linux', 'lib', 'libcublasLt.so.13');
    const { found } = findCudaLibraries(
      around({
        variables: { CONDA_PREFIX: join(root, 'conda'), CUDA_HOME: join(root, 'toolkit') },
        loaderCache: () =>
          `\tlibc.so.6 (libc6) => /lib/libc.so.6\n\tlibcuda.so.1 (libc6,x86-64) => ${root}/cached/libcuda.so.1\n`,
      }),
    );
    expect(found.driver).toMatchObject([{ origin: "the loader's cache" }]);
    expect(pathsOf(found.nvrtc)).toEqual([
      'local/cuda-13.0/lib64/libnvrtc.so.13',
      'local/cuda-12.8/lib64/libnvrtc.so.12',
    ]);
    expect(found.cublasLt).toMatchObject([{ origin: 'CUDA_HOME' }]);
    expect(pathsOf([...found.cudnn, ...found.nccl])).toEqual([
      'conda/lib/libcudnn.so.9',
      'conda/targets/x86_64-linux/lib/libnccl.so.2',
    ]);
  });

  test('in the packages of Python environments, before and since CUDA 13', () => {
    const packages = (environment: string) => [environment, 'lib', 'python3.12', 'site-packages', 'nvidia'];
    put(...packages('venv'), 'cu13', 'lib', 'libnvrtc.so.13');
    put(...packages('venv'), 'cudnn', 'lib', 'libcudnn.so.9');
    put('home', ...packages('.local'), 'cuda_nvrtc', 'lib', 'libnvrtc.so.12');
    put('home', '.pyenv', 'versions', ...packages('3.12.1'), 'nccl', 'lib', 'libnccl.so.2');
    const { found } = findCudaLibraries(around({ variables: { VIRTUAL_ENV: join(root, 'venv') } }));
    expect(found.nvrtc.map(({ major, origin }) => [major, origin])).toEqual([
      [13, 'Python packages'],
      [12, 'Python packages'],
    ]);
    expect(found.cudnn).toHaveLength(1);
    expect(found.nccl).toHaveLength(1);
  });

  test('on Windows by their names there', () => {
    put('bin', 'nvrtc64_120_0.dll');
    put('bin', 'nvrtc64_120_0.alt.dll');
    put('bin', 'nvrtc-builtins64_128.dll');
    put('bin', 'cublasLt64_12.dll');
    put('System32', 'nvcuda.dll');
    const { found } = findCudaLibraries(
      around({ platform: 'win32', system: [join(root, 'System32')], variables: { CUDA_PATH: root } }),
    );
    expect(found.nvrtc).toMatchObject([{ path: join(root, 'bin', 'nvrtc64_120_0.dll'), major: 12 }]);
    expect(found.cublasLt).toMatchObject([{ major: 12 }]);
    expect(found.driver).toHaveLength(1);
    expect(found.nccl).toEqual([]);
  });
});

describe('libraries fit a driver', () => {
  test('that are not for a later CUDA; the version of cuDNN is its own', () => {
    put('a', 'libnvrtc.so.13');
    put('a', 'libnvrtc.so.12');
    put('a', 'libcudnn.so.99');
    const search = findCudaLibraries(around({ variables: { LD_LIBRARY_PATH: join(root, 'a') } }));
    const majors = (name: 'nvrtc' | 'cudnn', driver: number) =>
      fittingLibraries(search, name, driver).map(({ major }) => major);
    expect(majors('nvrtc', 13)).toEqual([13, 12]);
    expect(majors('nvrtc', 12)).toEqual([12]);
    expect(majors('nvrtc', 11)).toEqual([]);
    expect(majors('cudnn', 12)).toEqual([99]);
  });
});
