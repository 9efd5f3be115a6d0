import { afterEach, describe, expect, it } from 'vitest';
import { softwareDevice } from './software-device.js';
import { type LaunchOptions, testDevice } from './test-device.js';

const built = await softwareDevice();

describe.skipIf('skipped' in built)('what the software device finds wrong', () => {
  const device = testDevice(built);
  afterEach(() => {
    for (const [name, value] of Object.entries({
      memory: 2 ** 30,
      capability: 90,
      failingLaunch: 0,
      failingAllocation: 0,
    }))
      device.set(name, value);
    device.reset();
  });

  /** Runs the body of a kernel on 4,000 bytes of zeros and waits. */
  const run = (body: string, options: LaunchOptions = { block: [64] }) => {
    const kernels = device.load(`extern "C" __global__ void broken(float* x) {\n${body}\n}`);
    const x = device.upload(new Float32Array(1000));
    kernels.launch('broken', [x], options);
    device.call('cuCtxSynchronize', '');
  };

  it.each([
    [
      'a write just past the end',
      'x[1000] = 1;',
      /error 700.*something was written 0 bytes past the end of a device allocation of 4000 bytes/,
    ],
    [
      'a write far past the end',
      'x[5000 + threadIdx.x] = 1;',
      /error 700.*something was written 16000 bytes past the end .*kernel broken, block \(0, 0, 0\), thread \(0, 0, 0\)/,
    ],
    ['a read past the end', 'x[0] = x[2000];', /error 700.*something was read 4000 bytes past the end/],
    [
      'a write before the beginning',
      'x[-3000] = 1;',
      /error 700.*something was written 12000 bytes before a device allocation/,
    ],
    [
      'a misaligned read',
      'x[0] = *(float*)((char*)x + 2 * (threadIdx.x + 1));',
      /error 716.*misaligned address, line 2 of kernels.cu/,
    ],
    ['a misaligned vector', 'x[0] = ((float4*)(x + 1))->x;', /error 716/],
    [
      'an index beyond a shared array',
      '__shared__ float s[4]; s[threadIdx.x] = 1; x[0] = s[1];',
      /error 700.*beyond an array.*thread \(4, 0, 0\)/,
    ],
    ['an integer divided by zero', 'x[0] = 7 / (int)x[1];', /error 719.*divided by zero/],
    ['a shift by too many bits', 'x[0] = 1 << (32 + (int)x[1]);', /error 719.*shift/],
    ['a barrier that some threads left out', 'if (threadIdx.x < 32) __syncthreads();', /error 719.*__syncthreads/],
    [
      'a thread that ended before a barrier',
      'if (threadIdx.x == 3) return; __syncthreads();',
      /error 719.*ended before|error 719.*waits for others/,
    ],
    [
      'a shuffle that a lane left out',
      'if (threadIdx.x % 32 != 31) x[0] = __shfl_xor_sync(0xffffffffu, x[1], 1);',
      /error 719.*mask of __shfl_xor_sync has ended without calling it/,
    ],
    [
      'a caller outside its mask',
      'x[0] = __shfl_sync(0xffffu, x[1], 1);',
      /error 719.*called by a thread that its mask does not name/,
    ],
    [
      'different calls of one warp',
      'if (threadIdx.x & 1) __syncwarp(); else x[0] = __ballot_sync(0xffffffffu, 1);',
      /error 719.*different functions together/,
    ],
    [
      'a barrier within a warp that others wait for',
      'if (threadIdx.x == 0) __syncthreads(); else __syncwarp();',
      /error 719.*waits for others/,
    ],
  ])('%s', (_, body, message) => {
    expect(() => run(body)).toThrow(message);
    // The device is lost from then on.
    expect(() => device.allocate(16)).toThrow(/error 7/);
    device.reset();
    run('x[threadIdx.x] = 1;');
  });

  it.each([
    ['too many threads', { block: [1025] }, /a block of 1025 x 1 x 1 threads/],
    ['too many threads together', { block: [64, 32] }, /a block of 64 x 32 x 1 threads/],
    ['no blocks', { grid: [0], block: [1] }, /a grid of 0 x 1 x 1 blocks/],
    ['too many blocks', { grid: [1, 65536], block: [1] }, /a grid of 1 x 65536 x 1 blocks/],
  ])('a launch of %s', (_, options, message) => {
    expect(() => run('x[0] = 1;', options)).toThrow(message);
    run('x[0] = 1;', { block: [1024] });
  });

  it('a launch against the bounds that the kernel states', () => {
    const kernels = device.load(
      'extern "C" __global__ void __launch_bounds__(2 * 32, 1) bound(float* x) { x[threadIdx.x] = 1; }',
    );
    const x = device.allocate(1024);
    kernels.launch('bound', [x], { block: [64] });
    expect(() => kernels.launch('bound', [x], { block: [65] })).toThrow(/65 threads, where its launch bounds say 64/);
  });

  it('static shared memory beyond 48 KiB', () => {
    expect(() => run('__shared__ float s[12289]; s[threadIdx.x] = 1; x[0] = s[0];')).toThrow(
      /49156 bytes of static shared memory/,
    );
    run('__shared__ float s[12288]; s[threadIdx.x] = 1; x[0] = s[0];');
  });

  it('arguments that are no device memory', () => {
    const kernels = device.load('extern "C" __global__ void write(float4* x) { x[0].x = 1; }');
    const x = device.allocate(64);
    expect(() => kernels.launch('write', [0n])).toThrow(/argument 0 is a null pointer/);
    expect(() => kernels.launch('write', [4096n])).toThrow(/no device memory/);
    expect(() => kernels.launch('write', [x + 4n])).toThrow(/argument 0 is not a multiple of 16 bytes/);
    device.call('cuMemFree_v2', 'uint64_t address', x);
    expect(() => kernels.launch('write', [x])).toThrow(/0 of a device allocation of 64 bytes that has been freed/);
    expect(() => device.call('cuMemFree_v2', 'uint64_t address', x)).toThrow(/freed already/);
  });

  it('copies that do not fit', () => {
    const x = device.allocate(64);
    const copy = 'uint64_t to, void* from, size_t bytes';
    expect(() => device.call('cuMemcpyHtoD_v2', copy, x, Buffer.alloc(65), 65)).toThrow(
      /65 bytes to be written at byte 0 of a device allocation of 64/,
    );
    expect(() => device.download(x + 32n, 40)).toThrow(/40 bytes to be read/);
  });

  it('more memory than there is', () => {
    device.set('memory', 1 << 20);
    const first = device.allocate(3 << 18);
    expect(() => device.allocate(1 << 19)).toThrow(
      /error 2: out of memory: 524288 bytes were asked for, 262144 of 1048576 are free/,
    );
    device.call('cuMemFree_v2', 'uint64_t address', first);
    device.allocate(1 << 20);
  });

  it('an allocation and a launch that are told to fail', () => {
    const kernels = device.load('extern "C" __global__ void write(float* x) { x[0] = 1; }');
    device.set('failingAllocation', 2);
    const x = device.allocate(4);
    expect(() => device.allocate(4)).toThrow(/error 2/);
    device.set('failingLaunch', 3);
    kernels.launch('write', [x]);
    kernels.launch('write', [x]);
    expect(() => kernels.launch('write', [x])).toThrow(
      /error 719: unspecified launch failure: a launch that was told to fail/,
    );
    expect(() => device.call('cuCtxSynchronize', '')).toThrow(/error 719/);
  });

  it('programs that do not compile, with the line', () => {
    expect(() => device.compile('extern "C" __global__ void k(float* x) {\n  x[0] = nothing;\n}')).toThrow(
      /kernels.cu:2:.*nothing.* was not declared/,
    );
    expect(() => device.compile('', ['--nonsense'])).toThrow(/status 5: .*unrecognized option --nonsense/);
  });

  it('programs for another card', () => {
    device.set('capability', 80);
    expect(() => device.load('extern "C" __global__ void k(float* x) { x[0] = 1; }')).toThrow(
      /error 209.*for sm_90, the device is sm_80/,
    );
    expect(() =>
      device.call('cuModuleLoadData', '_Out_ uint64_t* out, void* image', [0n], Buffer.from('neither\0')),
    ).toThrow(/error 200/);
  });
});
