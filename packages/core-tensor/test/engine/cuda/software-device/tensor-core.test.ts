import { afterEach, describe, expect, it } from 'vitest';
import { softwareDevice } from './software-device.js';
import { testDevice } from './test-device.js';

const built = await softwareDevice();

/** Small integers, exact in every format. */
function integers(count: number, factor: number): number[] {
  return Array.from({ length: count }, (_, index) => ((index * factor) % 17) - 8);
}

const bits16 = {
  bf16: (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16,
  f16: (value: number) => {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
    return value === 0 ? 0 : ((bits >>> 16) & 0x8000) | (((bits & 0x7fffffff) - 0x38000000) >>> 13);
  },
};

describe.skipIf('skipped' in built)('matrix instructions of the software device', () => {
  const device = testDevice(built);
  afterEach(() => device.reset());

  function plain(a: readonly number[], b: readonly number[], depth: number): number[] {
    return Array.from({ length: 128 }, (_, index) => {
      const [row, column] = [Math.floor(index / 8), index % 8];
      let sum = index;
      for (let k = 0; k < depth; k++) sum += a[row * depth + k]! * b[k * 8 + column]!;
      return sum;
    });
  }

  it.each([
    ['bf16', 16],
    ['f16', 16],
    ['bf16', 8],
    ['f16', 8],
  ] as const)('multiplies %s fragments of depth %i as the manual lays them out', (type, depth) => {
    // Fragments are read element by element here, by the manual's formulas: a and c row by row, b column by column.
    const kernels = device.load(`
      extern "C" __global__ void product(const unsigned short* a, const unsigned short* b, float* d) {
        int group = threadIdx.x >> 2, member = threadIdx.x & 3;
        unsigned fragmentA[${depth / 4}], fragmentB[${depth / 8}];
        for (int i = 0; i < ${depth / 2}; i++) {
          int row = ${depth === 16 ? '(i < 2 || (i >= 4 && i < 6))' : 'i < 2'} ? group : group + 8;
          int column = member * 2 + (i & 1) + (i >= 4 ? 8 : 0);
          unsigned bits = a[row * ${depth} + column];
          if (i & 1) fragmentA[i / 2] |= bits << 16; else fragmentA[i / 2] = bits;
        }
        for (int i = 0; i < ${depth / 4}; i++) {
          unsigned bits = b[(member * 2 + (i & 1) + (i >= 2 ? 8 : 0)) * 8 + group];
          if (i & 1) fragmentB[i / 2] |= bits << 16; else fragmentB[i / 2] = bits;
        }
        float sums[4];
        for (int i = 0; i < 4; i++) sums[i] = (i < 2 ? group : group + 8) * 8 + member * 2 + (i & 1);
        software_mma_m16n8k${depth}_${type}(sums, fragmentA, fragmentB);
        for (int i = 0; i < 4; i++) d[(i < 2 ? group : group + 8) * 8 + member * 2 + (i & 1)] = sums[i];
      }`);
    const [a, b] = [integers(16 * depth, 5), integers(depth * 8, 7)];
    const d = device.allocate(512);
    kernels.launch(
      'product',
      [device.upload(Uint16Array.from(a, bits16[type])), device.upload(Uint16Array.from(b, bits16[type])), d],
      { block: [32] },
    );
    expect([...device.floats(d, 128)]).toEqual(plain(a, b, depth));
  });

  it('multiplies tf32 fragments, looking at 10 bits of the mantissa', () => {
    const kernels = device.load(`
      extern "C" __global__ void product(const float* a, const float* b, float* d) {
        int group = threadIdx.x >> 2, member = threadIdx.x & 3;
        unsigned fragmentA[4], fragmentB[2];
        for (int i = 0; i < 4; i++) fragmentA[i] = __float_as_uint(a[(group + 8 * (i & 1)) * 8 + member + 4 * (i >> 1)] * 1.0001f);
        for (int i = 0; i < 2; i++) fragmentB[i] = __float_as_uint(b[(member + 4 * i) * 8 + group]);
        float sums[4];
        for (int i = 0; i < 4; i++) sums[i] = (i < 2 ? group : group + 8) * 8 + member * 2 + (i & 1);
        software_mma_m16n8k8_tf32(sums, fragmentA, fragmentB);
        for (int i = 0; i < 4; i++) d[(i < 2 ? group : group + 8) * 8 + member * 2 + (i & 1)] = sums[i];
      }`);
    const [a, b] = [integers(128, 5), integers(64, 7)];
    const d = device.allocate(512);
    kernels.launch('product', [device.upload(Float32Array.from(a)), device.upload(Float32Array.from(b)), d], {
      block: [32],
    });
    expect([...device.floats(d, 128)]).toEqual(plain(a, b, 8));
  });

  it('loads 8 x 8 matrices from shared memory, also transposed', () => {
    const kernels = device.load(`
      extern "C" __global__ void load(unsigned* out) {
        __shared__ __align__(16) unsigned short tiles[4 * 64];
        for (int i = threadIdx.x; i < 256; i += 32) tiles[i] = i;
        __syncwarp();
        unsigned plain[4], turned[2];
        software_ldmatrix(plain, &tiles[threadIdx.x * 8], 4);
        software_ldmatrix_trans(turned, &tiles[(threadIdx.x & 15) * 8], 2);
        for (int i = 0; i < 4; i++) out[i * 32 + threadIdx.x] = plain[i];
        for (int i = 0; i < 2; i++) out[(4 + i) * 32 + threadIdx.x] = turned[i];
      }`);
    const out = device.allocate(6 * 128);
    kernels.launch('load', [out], { block: [32] });
    const values = new Uint32Array(new Uint8Array(device.download(out, 768)).buffer);
    for (let matrix = 0; matrix < 4; matrix++)
      for (let lane = 0; lane < 32; lane++) {
        const first = matrix * 64 + lane * 2;
        expect(values[matrix * 32 + lane]).toBe(first + (first + 1) * 65536);
        const low = (matrix & 1) * 64 + (lane & 3) * 16 + (lane >> 2);
        if (matrix < 2) expect(values[(4 + matrix) * 32 + lane]).toBe(low + (low + 8) * 65536);
      }
  });

  it('makes asynchronous copies when their group is waited for', () => {
    const kernels = device.load(`
      extern "C" __global__ void copy(const float* __restrict__ x, float* __restrict__ out, float* __restrict__ early) {
        __shared__ __align__(16) float tile[2][128];
        software_cp_async(&tile[0][threadIdx.x * 4], &x[threadIdx.x * 4], 16, 16);
        software_cp_async_commit();
        software_cp_async(&tile[1][threadIdx.x * 4], &x[128 + threadIdx.x * 4], 16, threadIdx.x == 31 ? 4 : 16);
        software_cp_async_commit();
        software_cp_async_wait(1);
        __syncthreads();
        for (int i = threadIdx.x; i < 128; i += 32) out[i] = tile[0][i];
        for (int i = threadIdx.x * 4; i < threadIdx.x * 4 + 4; i++) early[i] = tile[1][i];
        software_cp_async_wait(0);
        __syncthreads();
        for (int i = threadIdx.x; i < 128; i += 32) out[128 + i] = tile[1][i];
      }`);
    const x = Float32Array.from({ length: 256 }, (_, index) => index + 1);
    const [out, early] = [device.allocate(1024), device.allocate(512)];
    kernels.launch('copy', [device.upload(x), out, early], { block: [32] });
    x.fill(0, 253);
    expect(device.floats(out, 256)).toEqual(x);
    expect([...device.floats(early, 128)].every(Number.isNaN)).toBe(true);
  });
});
