import { afterEach, describe, expect, it } from 'vitest';
import { softwareDevice } from './software-device.js';
import { testDevice } from './test-device.js';

const built = await softwareDevice();

describe.skipIf('skipped' in built)('kernels on the software device', () => {
  const device = testDevice(built);
  afterEach(() => {
    device.set('threadOrder', 0);
    device.reset();
  });
  const counting = (count: number) => Float32Array.from({ length: count }, (_, index) => index);

  it('runs a grid of blocks, every thread with its place', () => {
    const kernels = device.load(`
      extern "C" __global__ void __launch_bounds__(24) places(int* out) {
        int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
        int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
        out[block * 24 + thread] = block * 1000 + thread;
      }`);
    const out = device.allocate(2 * 3 * 5 * 24 * 4);
    kernels.launch('places', [out], { grid: [2, 3, 5], block: [4, 3, 2] });
    const places = new Int32Array(new Uint8Array(device.download(out, 2 * 3 * 5 * 24 * 4)).buffer);
    expect([...places]).toEqual(
      Array.from({ length: 720 }, (_, index) => Math.floor(index / 24) * 1000 + (index % 24)),
    );
  });

  it.each([0, 1, 7])('sums over a block through shared memory and shuffles, in thread order %i', (order) => {
    device.set('threadOrder', order);
    const kernels = device.load(`
      extern "C" __global__ void sum(const float* __restrict__ x, float* __restrict__ out) {
        __shared__ float partial[8];
        float sum = 0;
        for (int i = threadIdx.x; i < 1000; i += 256) sum += x[i];
        for (int lane = 16; lane; lane >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, lane);
        if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
        __syncthreads();
        sum = 0;
        for (int i = 0; i < 8; i++) sum += partial[i];
        out[threadIdx.x] = sum;
      }`);
    const x = device.upload(counting(1000));
    const out = device.allocate(1024);
    kernels.launch('sum', [x, out], { block: [256] });
    expect(new Set(device.floats(out, 256))).toEqual(new Set([499500]));
  });

  it('finds a missing barrier: the result depends on the order of threads', () => {
    const kernels = device.load(`
      extern "C" __global__ void turned(float* __restrict__ out) {
        __shared__ float all[64];
        all[threadIdx.x] = threadIdx.x;
        out[threadIdx.x] = all[63 - threadIdx.x];
      }`);
    const out = device.allocate(256);
    const run = (order: number) => {
      device.set('threadOrder', order);
      kernels.launch('turned', [out], { block: [64] });
      return [...device.floats(out, 64)];
    };
    const forward = run(0);
    expect(run(1)).not.toEqual(forward);
    expect(forward[0]).toBeNaN();
  });

  it('finds a block that needs another to have run before it', () => {
    const kernels = device.load(`
      extern "C" __global__ void chain(float* x) { x[blockIdx.x + 1] = x[blockIdx.x] + 1; }`);
    const run = (order: number) => {
      device.set('threadOrder', order);
      const x = device.upload(new Float32Array(4));
      kernels.launch('chain', [x], { grid: [3] });
      return [...device.floats(x, 4)];
    };
    expect(run(0)).toEqual([0, 1, 2, 3]);
    expect(run(1)).toEqual([0, 1, 1, 1]);
  });

  it('shuffles as PTX does: lanes beyond their segment read themselves', () => {
    const kernels = device.load(`
      extern "C" __global__ void shuffles(float* out) {
        int lane = threadIdx.x;
        out[lane] = __shfl_sync(0xffffffffu, (float)lane, 5, 8);
        out[32 + lane] = __shfl_up_sync(0xffffffffu, (float)lane, 3, 16);
        out[64 + lane] = __shfl_down_sync(0xffffffffu, (float)lane, 3, 16);
        out[96 + lane] = (float)__shfl_xor_sync(0xffffffffu, (long long)lane << 33, 1) / 8589934592.0f;
        out[128 + lane] = __shfl_sync(0x0000ffffu << (lane & 16), (float)lane, 16 - (lane & 16), 32);
      }`);
    const out = device.allocate(640);
    kernels.launch('shuffles', [out], { block: [32] });
    const values = device.floats(out, 160);
    const lanes = Array.from({ length: 32 }, (_, lane) => lane);
    expect([...values.slice(0, 32)]).toEqual(lanes.map((lane) => (lane & 24) + 5));
    expect([...values.slice(32, 64)]).toEqual(lanes.map((lane) => (lane % 16 < 3 ? lane : lane - 3)));
    expect([...values.slice(64, 96)]).toEqual(lanes.map((lane) => (lane % 16 > 12 ? lane : lane + 3)));
    expect([...values.slice(96, 128)]).toEqual(lanes.map((lane) => lane ^ 1));
    // A source that takes no part gives nothing that may be relied on.
    expect([...values.slice(128)].every(Number.isNaN)).toBe(true);
  });

  it('votes, matches and reduces over a warp', () => {
    const kernels = device.load(`
      extern "C" __global__ void votes(unsigned* out) {
        int lane = threadIdx.x;
        unsigned odd = __ballot_sync(0xffffffffu, lane & 1);
        unsigned alike = __match_any_sync(0xffffffffu, lane / 8);
        int most = __reduce_max_sync(0xffffffffu, lane - 40), least = __reduce_min_sync(0xffffffffu, lane - 40);
        int several = __syncthreads_count(lane < 5), all = __syncthreads_and(lane < 31), any = __syncthreads_or(lane == 7);
        if (lane == 9) { out[0] = odd; out[1] = alike; out[2] = most; out[3] = least; out[4] = several; out[5] = all; out[6] = any; }
      }`);
    const out = device.allocate(28);
    kernels.launch('votes', [out], { block: [32] });
    const values = new Int32Array(new Uint8Array(device.download(out, 28)).buffer);
    expect([...values]).toEqual([0xaaaaaaaa | 0, 0xff00, -9, -40, 5, 0, 1]);
  });

  it('adds by atomics and gives what was there before', () => {
    const kernels = device.load(`
      extern "C" __global__ void count(int* counts, int* most) {
        int before = atomicAdd(&counts[threadIdx.x % 3], 2);
        atomicMax(most, before);
        atomicCAS(&most[1], 5, 6);
      }`);
    const counts = device.upload(new Int32Array(3));
    const most = device.upload(Int32Array.of(0, 5));
    kernels.launch('count', [counts, most], { grid: [2], block: [30] });
    expect([...new Int32Array(new Uint8Array(device.download(counts, 12)).buffer)]).toEqual([40, 40, 40]);
    expect([...new Int32Array(new Uint8Array(device.download(most, 8)).buffer)]).toEqual([38, 6]);
  });

  it('gives dynamic shared memory beyond 48 KiB to a kernel that was allowed it', () => {
    const kernels = device.load(`
      extern "C" __global__ void turn(const float* __restrict__ x, float* __restrict__ out) {
        DYNAMIC_SHARED(memory);
        float* all = (float*)memory;
        for (int i = threadIdx.x; i < 16384; i += 64) all[i] = x[i];
        __syncthreads();
        for (int i = threadIdx.x; i < 16384; i += 64) out[i] = all[16383 - i];
      }
      extern "C" __global__ void declared(float* __restrict__ out) {
        extern __shared__ __align__(16) float all[];
        all[threadIdx.x] = 3;
        out[threadIdx.x] = all[threadIdx.x];
      }`);
    const x = device.upload(counting(16384));
    const out = device.allocate(65536);
    const turn = () => kernels.launch('turn', [x, out], { block: [64], shared: 65536 });
    expect(turn).toThrow(/65536 bytes of dynamic shared memory, 49152 are allowed/);
    device.call('cuFuncSetAttribute', 'uint64_t f, int attribute, int value', kernels.function('turn'), 8, 65536);
    turn();
    expect(device.floats(out, 16384)).toEqual(counting(16384).reverse());
    kernels.launch('declared', [out], { block: [32], shared: 128 });
    expect([...device.floats(out, 32)]).toEqual(new Array(32).fill(3));
  });

  it('fills new device memory and shared memory with NaN', () => {
    const kernels = device.load(`
      extern "C" __global__ void read(const float* x, float* out) {
        __shared__ float shared[4];
        out[threadIdx.x] = x[threadIdx.x] + shared[threadIdx.x];
        shared[threadIdx.x] = 0;
      }`);
    const out = device.allocate(16);
    const x = device.upload(new Float32Array(4));
    kernels.launch('read', [x, out], { grid: [2], block: [4] });
    expect([...device.floats(out, 4)].every(Number.isNaN)).toBe(true);
    expect([...device.floats(device.allocate(16), 4)].every(Number.isNaN)).toBe(true);
  });

  it('joins no multiplication with an addition where it is told not to', () => {
    const kernels = device.load(
      'extern "C" __global__ void square(const float* x, float* out) { out[0] = x[0] * x[0] - x[1]; }',
      ['--gpu-architecture=sm_90', '--fmad=false'],
    );
    const x = 1 + 2 ** -13;
    const out = device.allocate(4);
    kernels.launch('square', [device.upload(Float32Array.of(x, x * x)), out]);
    expect(device.floats(out, 1)[0]).toBe(0);
  });

  it('counts launches and the most memory that was in use', () => {
    const kernels = device.load('extern "C" __global__ void nothing(float* out) { out[0] = 1; }');
    const launches = device.read('launches');
    const out = device.allocate(1 << 20);
    kernels.launch('nothing', [out]);
    expect(device.read('launches') - launches).toBe(1);
    expect(device.read('bytesInUse')).toBe(1 << 20);
    expect(device.read('peakBytes')).toBeGreaterThanOrEqual(1 << 20);
    expect(device.read('nonsense')).toBe(-1);
  });
});
