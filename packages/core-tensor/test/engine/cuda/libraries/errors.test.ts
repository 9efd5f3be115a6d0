import { describe, expect, test } from 'vitest';
import { CudaError, CudaMemoryError } from '../../../../src/engine/cuda/libraries/cuda-error.js';
import { isFatal } from '../../../../src/engine/cuda/libraries/driver-errors.js';
import type { LibrarySearch } from '../../../../src/engine/cuda/libraries/find-libraries.js';
import { formatCudaVersion, missingLibrary } from '../../../../src/engine/cuda/libraries/open-libraries.js';
import { EngineError } from '../../../../src/errors.js';

const failed = (call: string, code: number) =>
  new CudaError({ operation: 'x', expected: 'y', received: 'z', call, code, codeName: 'E' });

describe('errors', () => {
  test('of memory name what was asked for, what there is, and what to do', () => {
    const gibibyte = 2 ** 30;
    const error = new CudaMemoryError({
      operation: 'cuda engine: upload float32 [1024]',
      requested: 2 * gibibyte,
      free: 512 * 2 ** 20,
      total: 80 * gibibyte,
      held: 79 * gibibyte,
    });
    expect(error).toBeInstanceOf(CudaError);
    expect(error).toBeInstanceOf(EngineError);
    expect(error.message).toBe(
      'cuda engine: upload float32 [1024]: expected 2.00 GiB of memory on the card, received 512.0 MiB free of 80.00 GiB, ' +
        'of which this engine holds 79.00 GiB. Take a smaller batch, recompute activations with checkpoint, or compute in ' +
        'bfloat16; `ocelli plan` says how much a recipe needs.',
    );
    expect(error).toMatchObject({
      requested: 2 * gibibyte,
      codeName: 'CUDA_ERROR_OUT_OF_MEMORY',
      name: 'CudaMemoryError',
    });
  });

  test('of a missing library list where it was looked for and what brings it', () => {
    const search: LibrarySearch = {
      found: { driver: [], nvrtc: [], cublasLt: [], cudnn: [], nccl: [] },
      searched: [
        { path: '/a', origin: 'LD_LIBRARY_PATH' },
        { path: '/b', origin: 'the system' },
      ],
    };
    const error = missingLibrary(search, 'cublasLt', 12);
    expect(error.message).toContain('expected the library cuBLASLt, for matrix products, received none in /a, /b.');
    expect(error.message).toContain('pip install nvidia-cublas-cu12');
    expect(error.searched).toEqual(['/a', '/b']);
    expect(missingLibrary(search, 'nvrtc', 13).message).toContain("pip install 'nvidia-cuda-nvrtc==13.*'");
  });

  test('after which the card is lost are told from others', () => {
    for (const code of [700, 716, 719, 999]) expect(isFatal(failed('cuLaunchKernel', code))).toBe(true);
    for (const code of [1, 2, 100, 701]) expect(isFatal(failed('cuLaunchKernel', code))).toBe(false);
    expect(isFatal(failed('nvrtcCompileProgram', 719))).toBe(false);
    expect(isFatal(new Error('no'))).toBe(false);
  });

  test('spell versions of CUDA as NVIDIA does', () => {
    expect([12080, 13000, 11040].map(formatCudaVersion)).toEqual(['12.8', '13.0', '11.4']);
  });
});
