import { describe, expect, it } from 'vitest';
import { compileWithNvcc, nvccVersion, readResources } from './nvcc.js';

const log = `
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'sum' for 'sm_90'
ptxas info    : Function properties for sum
    8 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 34 registers, used 1 barriers, 128 bytes smem
ptxas info    : Compiling entry function 'add' for 'sm_90'
ptxas info    : Function properties for add
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 0 barriers
`;

it('reads what the assembler says of each kernel', () => {
  const none = { sharedBytes: 0, stackBytes: 0, spillStoreBytes: 0, spillLoadBytes: 0 };
  expect(readResources(log, 'sm_90')).toEqual([
    {
      name: 'sum',
      architecture: 'sm_90',
      registers: 34,
      sharedBytes: 128,
      stackBytes: 8,
      spillStoreBytes: 12,
      spillLoadBytes: 16,
    },
    { name: 'add', architecture: 'sm_90', registers: 10, ...none },
  ]);
});

describe.skipIf((await nvccVersion()) === undefined)('compiling by nvcc', () => {
  const scale = (factor: number) => ({
    name: 'scale',
    source: `extern "C" __global__ void scale(float* x) { x[threadIdx.x] *= ${factor}.0f; }`,
  });

  it('gives the resources of kernels, those of one name in files of their own', async () => {
    const tile = {
      name: 'tile',
      source: `extern "C" __global__ void tile(const bfloat16* x, float* out) {
        __shared__ float tile[64];
        tile[threadIdx.x] = to_float(x[threadIdx.x]);
        __syncthreads();
        out[threadIdx.x] = tile[63 - threadIdx.x];
      }`,
    };
    const resources = await compileWithNvcc([scale(2), tile, scale(3), scale(2)], ['sm_90']);
    expect(resources.map(({ name }) => name).sort()).toEqual(['scale', 'scale', 'tile']);
    expect(resources.find(({ name }) => name === 'tile')).toMatchObject({
      architecture: 'sm_90',
      sharedBytes: 256,
      spillLoadBytes: 0,
    });
    for (const { registers } of resources) expect(registers).toBeGreaterThan(0);
  });

  it('takes warnings for errors', async () => {
    const unused = {
      name: 'unused',
      source: 'extern "C" __global__ void unused(float* x) { int never = 3; x[0] = 1; }',
    };
    await expect(compileWithNvcc([unused], ['sm_80'])).rejects.toThrow(/"never" was declared but never referenced/);
  });
});
