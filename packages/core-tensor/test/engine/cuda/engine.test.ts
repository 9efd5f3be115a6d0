import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cudaMemory } from '../../../src/cuda.js';
import { buildGraph } from '../../../src/engine/build-graph.js';
import { startCudaEngine } from '../../../src/engine/cuda/cuda-engine.js';
import { CudaError, CudaLibraryError, CudaMemoryError } from '../../../src/engine/cuda/libraries/cuda-error.js';
import type { CudaOptions } from '../../../src/engine/cuda/options.js';
import type { DeviceBuffer, Engine, Program } from '../../../src/engine/engine.js';
import { startReferenceEngine } from '../../../src/engine/reference/reference-engine.js';
import {
  add,
  closeEngine,
  compileUpdate,
  currentEngine,
  EngineError,
  gather,
  gelu,
  matmul,
  mul,
  relu,
  softmax,
  sum,
  Tensor,
  tensor,
  updateSlice,
  useEngine,
} from '../../../src/index.js';
import { deviceUnderTest } from './software-engine.js';

const device = await deviceUnderTest();
const settings = 'skipped' in device ? undefined : device.settings;
const search = 'skipped' in device ? undefined! : device.search;
/** Tests that need a device which does as it is told. */
const onSoftware = test.skipIf(!settings);

describe.skipIf('skipped' in device)('the cuda engine', () => {
  let engine: Engine;
  const start = async (options: CudaOptions = {}) => {
    engine = await startCudaEngine({ kernelCache: false, ...options }, search);
    return engine;
  };
  beforeEach(async () => {
    // What is put on a stream is carried out only when something waits for it, as late as on a card.
    settings?.set('deferred', 1);
    await start();
  });
  afterEach(async () => {
    await engine?.close();
    for (const name of ['deferred', 'failingLaunch', 'failingAllocation']) settings?.set(name, 0);
    vi.unstubAllEnvs();
  });

  const input = (shape: readonly number[], dtype: Tensor['dtype'] = 'float32') =>
    new Tensor(shape, dtype, { kind: 'input' });
  const compiled = (inputs: readonly Tensor[], outputs: readonly Tensor[]): Promise<Program> =>
    engine.compile(buildGraph(outputs, inputs, () => ({ kind: 'constant' })).graph);
  const floats = (...values: number[]) => engine.upload(Float32Array.from(values), [values.length], 'float32');
  const values = async (buffer: DeviceBuffer) => [...((await engine.download(buffer)) as Float32Array)];

  test('holds values of every dtype, large and small, as they are', async () => {
    const large = Float32Array.from({ length: 50_000 }, (_, i) => i);
    const buffer = engine.upload(large, [50_000], 'float32');
    large.fill(-1);
    const integers = engine.upload(BigInt64Array.of(1n, -(2n ** 60n)), [2], 'int64');
    const half = engine.upload(Uint16Array.of(0x3c00, 0xffff), [2, 1], 'float16');
    const empty = engine.upload(new Float32Array(0), [0, 3], 'float32');
    const read = (await engine.download(buffer)) as Float32Array;
    expect(read.every((value, i) => value === i)).toBe(true);
    expect(await engine.download(integers)).toEqual(BigInt64Array.of(1n, -(2n ** 60n)));
    expect(await engine.download(half)).toEqual(Uint16Array.of(0x3c00, 0xffff));
    expect(await engine.download(empty)).toEqual(new Float32Array(0));
  });

  test('computes with what is still on its way to the card', async () => {
    const count = 40_000;
    const [x, y] = [input([count]), input([count])];
    const program = await compiled([x, y], [add(x, y)]);
    const ones = new Float32Array(count).fill(1);
    let total = engine.upload(new Float32Array(count), [count], 'float32');
    for (let i = 0; i < 5; i++) {
      const part = engine.upload(ones, [count], 'float32');
      ones.fill(i + 2);
      const [next] = await engine.run(program, [total, part]);
      engine.free(total);
      engine.free(part);
      total = next!;
    }
    expect(((await engine.download(total)) as Float32Array).every((value) => value === 15)).toBe(true);
  });

  onSoftware('replays a program whose memory is the same as before, and sees new values', async () => {
    const [x, w] = [input([2, 3]), input([3, 3])];
    const first = softmax(matmul(x, w), -1);
    const program = await compiled([x, w], [sum(relu(matmul(first, w)), { axes: 0 }), first]);
    const weights = engine.upload(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), [3, 3], 'float32');
    const before = settings!.read('graphLaunches');
    const results: number[][] = [];
    for (const scale of [1, 2, 3, 4, 5]) {
      const batch = engine.upload(Float32Array.of(scale, 0, 0, 0, scale, 0), [2, 3], 'float32');
      const outputs = await engine.run(program, [batch, weights]);
      results.push(await values(outputs[0]!));
      for (const each of [batch, ...outputs]) engine.free(each);
    }
    expect(settings!.read('graphLaunches') - before).toBeGreaterThanOrEqual(2);
    results.forEach((result, i) => {
      const total = Math.exp(i + 1) + 2;
      const [large, small] = [Math.exp(i + 1) / total, 1 / total];
      const expected = [large + small, large + small, 2 * small];
      result.forEach((value, j) => {
        expect(value).toBeCloseTo(expected[j]!, 5);
      });
    });
    engine.release(program);
  });

  test('does not take a recording for arguments elsewhere', async () => {
    const [x, w] = [input([2, 2]), input([2, 2])];
    const program = await compiled([x, w], [matmul(relu(matmul(matmul(x, w), w)), w)]);
    const matrices = [1, 2, 3].map((scale) => engine.upload(Float32Array.of(scale, 0, 0, scale), [2, 2], 'float32'));
    for (let round = 0; round < 3; round++) {
      for (const [i, left] of matrices.entries()) {
        for (const [j, right] of matrices.entries()) {
          const [result] = await engine.run(program, [left, right]);
          expect((await values(result!))[0]).toBe((i + 1) * (j + 1) ** 3);
          engine.free(result!);
        }
      }
    }
  });

  test('does not upload to memory that is still being read', async () => {
    await engine.close();
    await start({ memoryLimit: 600_000 });
    const count = 100_000;
    const x = input([count]);
    const program = await compiled([x], [sum(x)]);
    const totals: DeviceBuffer[] = [];
    for (let i = 1; i <= 4; i++) {
      const buffer = engine.upload(new Float32Array(count).fill(i), [count], 'float32');
      const [total] = await engine.run(program, [buffer]);
      totals.push(total!);
      engine.free(buffer);
    }
    const last = engine.upload(new Float32Array(count), [count], 'float32');
    expect((await values(last))[0]).toBe(0);
    expect(await Promise.all(totals.map(async (total) => (await values(total))[0]))).toEqual([
      count,
      2 * count,
      3 * count,
      4 * count,
    ]);
  });

  onSoftware('replays nothing where it is told not to', async () => {
    await engine.close();
    await start({ graphs: false });
    const before = settings!.read('graphLaunches');
    const x = input([4, 4]);
    const program = await compiled([x], [softmax(matmul(softmax(matmul(x, x), -1), x), -1)]);
    const batch = engine.upload(new Float32Array(16), [4, 4], 'float32');
    for (let i = 0; i < 4; i++) for (const each of await engine.run(program, [batch])) engine.free(each);
    expect(settings!.read('graphLaunches')).toBe(before);
  });

  test('writes results where it is told, over an argument too', async () => {
    const [x, y] = [input([3]), input([3])];
    const program = await compiled([x, y], [add(x, y), mul(x, y)]);
    const [a, b] = [floats(1, 2, 3), floats(10, 20, 30)];
    const results = await engine.run(program, [a, b], [a, undefined]);
    expect(results[0]).toBe(a);
    expect(await values(a)).toEqual([11, 22, 33]);
    expect(await values(results[1]!)).toEqual([10, 40, 90]);
    await engine.run(program, [a, b], [b, a]);
    expect([await values(b), await values(a)]).toEqual([
      [21, 42, 63],
      [110, 440, 990],
    ]);
  });

  test('keeps an argument whole until nobody needs it, although a result takes its place', async () => {
    const x = input([2, 2]);
    const product = matmul(x, x);
    const program = await compiled([x], [product, sum(mul(x, softmax(product, -1)))]);
    const a = engine.upload(Float32Array.of(1, 1, 0, 1), [2, 2], 'float32');
    const [, total] = await engine.run(program, [a], [a]);
    expect(await values(a)).toEqual([1, 2, 0, 1]);
    const [e, small] = [Math.E / (1 + Math.E), 1 / (1 + Math.E)];
    expect((await values(total!))[0]).toBeCloseTo(small + e + e, 5);
  });

  test('swaps arguments', async () => {
    const [x, y] = [input([2]), input([2])];
    const program = await compiled([x, y], [y, x]);
    const [a, b] = [floats(1, 2), floats(3, 4)];
    await engine.run(program, [a, b], [a, b]);
    expect([await values(a), await values(b)]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    const [copy] = await engine.run(program, [a, b]);
    engine.free(b);
    expect(await values(copy!)).toEqual([1, 2]);
  });

  test('replaces a slice of an argument in its place', async () => {
    const [cache, row, at] = [input([4, 2]), input([1, 2]), input([], 'int32')];
    const program = await compiled([cache, row, at], [updateSlice(cache, row, at, 0)]);
    const held = engine.upload(new Float32Array(8), [4, 2], 'float32');
    for (const place of [2, 0]) {
      const next = engine.upload(Float32Array.of(place, 1), [1, 2], 'float32');
      const start = engine.upload(Int32Array.of(place), [], 'int32');
      await engine.run(program, [held, next, start], [held]);
    }
    expect(await values(held)).toEqual([0, 1, 0, 0, 2, 1, 0, 0]);
  });

  test('adds bias, activation and residual to products, together or after', async () => {
    const [x, w, bias, residual] = [input([2, 2]), input([2, 2]), input([2]), input([2, 2])];
    const plain = add(matmul(x, w), bias);
    const program = await compiled(
      [x, w, bias, residual],
      [plain, relu(plain), add(plain, residual), add(gelu(plain), residual)],
    );
    const arguments_ = [
      engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2], 'float32'),
      engine.upload(Float32Array.of(1, 0, 0, -1), [2, 2], 'float32'),
      floats(0.5, 1),
      engine.upload(Float32Array.of(10, 20, 30, 40), [2, 2], 'float32'),
    ];
    const [sums, positive, more] = await engine.run(program, arguments_);
    expect(await values(sums!)).toEqual([1.5, -1, 3.5, -3]);
    expect(await values(positive!)).toEqual([1.5, 0, 3.5, 0]);
    expect(await values(more!)).toEqual([11.5, 19, 33.5, 37]);
  });

  test.each([
    ['float32', 0, 1e-6],
    ['tf32', 1e-6, 2e-3],
    ['bfloat16', 1e-5, 2e-2],
  ] as const)('multiplies in %s', async (precision, least, most) => {
    await engine.close();
    await start({ precision });
    const [x, w] = [input([16, 64]), input([64, 8])];
    const program = await compiled([x, w], [matmul(x, w)]);
    const [left, right] = [Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i + 1)), new Float32Array(512)];
    for (let i = 0; i < 512; i++) right[i] = Math.cos(3 * i);
    const arguments_ = [engine.upload(left, [16, 64], 'float32'), engine.upload(right, [64, 8], 'float32')];
    const [result] = await engine.run(program, arguments_);
    const actual = await values(result!);
    let [error, norm] = [0, 0];
    for (let row = 0; row < 16; row++)
      for (let column = 0; column < 8; column++) {
        let exact = 0;
        for (let k = 0; k < 64; k++) exact += left[row * 64 + k]! * right[k * 8 + column]!;
        error = Math.max(error, Math.abs(actual[row * 8 + column]! - exact));
        norm = Math.max(norm, Math.abs(exact));
      }
    expect(error / norm).toBeLessThan(most);
    expect(error / norm).toBeGreaterThanOrEqual(least);
  });

  describe('where an index is out of range', () => {
    test('fails for what comes of it and nothing else', async () => {
      const [x, indices] = [input([3]), input([2], 'int32')];
      const program = await compiled([x, indices], [gather(x, indices)]);
      const y = input([2]);
      const twice = await compiled([y], [mul(y, 2)]);
      const a = floats(1, 2, 3);
      const at = (...places: number[]) => engine.upload(Int32Array.from(places), [2], 'int32');
      const [good] = await engine.run(program, [a, at(2, 0)]);
      const [bad] = await engine.run(program, [a, at(0, 7)]);
      const [fine] = await engine.run(program, [a, at(1, 1)]);
      // A fast device has found out by now.
      const worse = engine.run(twice, [bad!]).then(([result]) => values(result!));
      await expect(worse).rejects.toThrow(EngineError);
      await expect(values(bad!)).rejects.toThrow('cuda engine: run: expected indices between 0 and 2, received 7.');
      await expect(engine.run(twice, [bad!])).rejects.toThrow('received 7');
      expect(await values(good!)).toEqual([3, 1]);
      expect(await values(fine!)).toEqual([2, 2]);
    });

    test('does not compile where the index is known by then, and leaves nothing behind', async () => {
      const [x, indices] = [input([3]), input([2], 'int32')];
      const constant = tensor(Array.from({ length: 40 }, (_, i) => i));
      const outside = tensor([1, 50], [2], 'int32');
      await expect(compiled([x], [add(sum(gather(constant, outside)), x)])).rejects.toThrow(
        'between 0 and 39, received 50',
      );
      const program = await compiled([x, indices], [gather(x, indices)]);
      const [result] = await engine.run(program, [floats(1, 2, 3), engine.upload(Int32Array.of(2, 0), [2], 'int32')]);
      expect(await values(result!)).toEqual([3, 1]);
    });

    test('names the first of them, also in a slice', async () => {
      const [whole, part, at] = [input([4]), input([2]), input([], 'int32')];
      const program = await compiled([whole, part, at], [updateSlice(whole, part, at, 0)]);
      const arguments_ = [floats(1, 2, 3, 4), floats(8, 9), engine.upload(Int32Array.of(3), [], 'int32')];
      const [result] = await engine.run(program, arguments_);
      await expect(values(result!)).rejects.toThrow('a start between 0 and 2, for 2 of 4 places, received 3');
    });
  });

  test('computes without cuBLASLt what needs no products, and says what is missing for the others', async () => {
    await engine.close();
    engine = await startCudaEngine({ kernelCache: false }, { ...search, found: { ...search.found, cublasLt: [] } });
    const x = input([2, 2]);
    const program = await compiled([x], [relu(x)]);
    const a = engine.upload(Float32Array.of(-1, 2, 3, -4), [2, 2], 'float32');
    const [result] = await engine.run(program, [a]);
    expect(await values(result!)).toEqual([0, 2, 3, 0]);
    const error = await compiled([x], [matmul(x, x)]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CudaLibraryError);
    expect((error as CudaLibraryError).message).toContain('the library cuBLASLt, for matrix products');
    expect((error as CudaLibraryError).message).toMatch(/pip install .*nvidia-cublas/);
    await engine.close();
    const without = { ...search, found: { ...search.found, cublasLt: [] } };
    engine = await startCudaEngine({ kernelCache: false, products: 'own' }, without);
    const square = await compiled([x], [matmul(x, x)]);
    const b = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2], 'float32');
    expect(await values((await engine.run(square, [b]))[0]!)).toEqual([7, 10, 15, 22]);
  });

  test('says what it has where the memory of the card is used up, and goes on', async () => {
    await engine.close();
    await start({ memoryLimit: 2 ** 20 });
    const buffers = [0, 1].map(() => engine.upload(new Float32Array(100_000), [100_000], 'float32'));
    const error = await Promise.resolve()
      .then(() => engine.upload(new Float32Array(100_000), [100_000], 'float32'))
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CudaMemoryError);
    expect((error as Error).message).toMatch(
      /upload float32 \[100000\]: expected 0\.4 MiB .* under a limit of 1\.0 MiB/,
    );
    engine.free(buffers[0]!);
    const again = engine.upload(new Float32Array(100_000).fill(3), [100_000], 'float32');
    expect((await values(again))[99_999]).toBe(3);
  });

  test('takes back what the program has forgotten before it gives up', async () => {
    await engine.close();
    await start({ memoryLimit: 2 ** 20 });
    for (let i = 0; i < 20; i++) {
      await engine.download(engine.upload(new Float32Array(50_000), [50_000], 'float32'));
      // What one turn of the event loop has made lives as long as it lasts.
      await new Promise(setImmediate);
    }
    expect((await values(floats(1)))[0]).toBe(1);
  });

  test('says how much memory it takes', async () => {
    const before = cudaMemory(engine);
    const buffer = engine.upload(new Float32Array(2 ** 18), [2 ** 18], 'float32');
    const during = cudaMemory(engine);
    expect(during.alive - before.alive).toBe(2 ** 20);
    expect(during.total).toBeGreaterThanOrEqual(during.free + during.alive);
    engine.free(buffer);
    const after = cudaMemory(engine);
    expect([after.alive, after.kept - before.kept, after.peak]).toEqual([before.alive, 2 ** 20, during.alive]);
    const other = await startReferenceEngine();
    expect(() => cudaMemory(other)).toThrow('an engine of the name cuda, received reference');
    await other.close();
  });

  onSoftware('gives kept memory back before it gives up', async () => {
    settings!.set('failingAllocation', 0);
    const first = engine.upload(new Float32Array(50_000), [50_000], 'float32');
    await engine.download(first);
    engine.free(first);
    settings!.set('failure', 2);
    settings!.set('failingAllocation', 1);
    const second = engine.upload(new Float32Array(70_000).fill(2), [70_000], 'float32');
    expect((await values(second))[0]).toBe(2);
  });

  onSoftware('gives all memory back when it is closed', async () => {
    await engine.close();
    const before = settings!.read('bytesInUse');
    await start();
    const x = input([8, 8]);
    const program = await compiled([x], [softmax(matmul(x, x), -1)]);
    const a = engine.upload(new Float32Array(64), [8, 8], 'float32');
    await engine.run(program, [a]);
    expect(settings!.read('bytesInUse')).toBeGreaterThan(before);
    await engine.close();
    expect(settings!.read('bytesInUse')).toBe(before);
    expect(() => engine.upload(new Float32Array(1), [1], 'float32')).toThrow('one that was closed');
    await expect(engine.run(program, [a])).rejects.toThrow('one that was closed');
    await engine.close();
  });

  test('finishes what was asked for before it closes', async () => {
    const x = input([3]);
    const program = await compiled([x], [mul(x, 2)]);
    const [result] = await engine.run(program, [floats(1, 2, 3)]);
    const read = values(result!);
    await engine.close();
    expect(await read).toEqual([2, 4, 6]);
  });

  test('refuses buffers and programs that are not its own, and wrong shapes', async () => {
    const x = input([3]);
    const program = await compiled([x], [mul(x, 2)]);
    const other = await startCudaEngine({ kernelCache: false }, search);
    const foreign = other.upload(Float32Array.of(1, 2, 3), [3], 'float32');
    await expect(engine.run(program, [foreign])).rejects.toThrow('a buffer that this engine holds');
    await other.close();
    await expect(engine.run(program, [])).rejects.toThrow('expected 1 inputs, received 0');
    await expect(engine.run(program, [floats(1)])).rejects.toThrow('float32 [3] as input 0, received float32 [1]');
    const a = floats(1, 2, 3);
    await expect(engine.run(program, [a], [floats(1)])).rejects.toThrow('float32 [3] as the buffer for output 0');
    engine.free(a);
    await expect(engine.run(program, [a])).rejects.toThrow('which it does not hold');
    expect(() => engine.upload(new Float32Array(2), [3], 'float32')).toThrow(
      '3 values of float32 [3], received 2 values in a Float32Array',
    );
    engine.release(program);
    await expect(engine.run(program, [floats(1, 2, 3)])).rejects.toThrow('a program that this engine compiled');
  });

  test('is chosen by name, computes tensors and updates them in place', async () => {
    vi.stubEnv('OCELLI_CUDA_LIBRARIES', search.searched[0]!.path);
    try {
      const chosen = await useEngine('cuda', { kernelCache: false });
      expect(chosen.name).toBe('cuda');
      const total = add(tensor([1, 2, 3]), 1);
      expect(await total.data()).toEqual(Float32Array.of(2, 3, 4));
      const addTo = compileUpdate(([x, y]) => [add(x!, y!)]);
      const { done } = await addTo([total, tensor([10, 20, 30])], [total]);
      await done;
      expect(await total.data()).toEqual(Float32Array.of(12, 23, 34));
      expect(await currentEngine()).toBe(chosen);
    } finally {
      await closeEngine();
    }
  });

  onSoftware('does not start with options out of range, without the libraries, or without such a card', async () => {
    await expect(start({ device: -1 })).rejects.toThrow('device to be an integer from 0 on');
    await expect(start({ memoryLimit: 0 })).rejects.toThrow('memoryLimit');
    await expect(start({ precision: 'int8' as 'float32' })).rejects.toThrow('float32, tf32 or bfloat16');
    await expect(start({ device: 3 })).rejects.toThrow('device to be below 1, the number of cards, received 3');
    const none = { ...search, found: { ...search.found, nvrtc: [] } };
    await expect(startCudaEngine({}, none)).rejects.toThrow(CudaLibraryError);
    const broken = { ...search.found.nvrtc[0]!, path: '/no/such/libnvrtc.so.13' };
    const second = { ...search, found: { ...search.found, nvrtc: [broken, ...search.found.nvrtc] } };
    await (await startCudaEngine({ kernelCache: false }, second)).close();
    const only = { ...search, found: { ...search.found, nvrtc: [broken] } };
    await expect(startCudaEngine({}, only)).rejects.toThrow('/no/such/libnvrtc.so.13 to be a library of this system');
    settings!.set('deviceCount', 0);
    try {
      const error = await start().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(CudaError);
      expect((error as CudaError).message).toMatch(/CUDA_ERROR_NO_DEVICE \(100: .*nvidia-smi lists the cards/);
    } finally {
      settings!.set('deviceCount', 1);
    }
    settings!.set('capability', 75);
    try {
      await expect(start()).rejects.toThrow(
        'a card of compute capability 8.0 or later, received Software device, of 7.5',
      );
    } finally {
      settings!.set('capability', 90);
    }
    settings!.set('driverVersion', 12080);
    try {
      await expect(start()).rejects.toThrow(
        /NVRTC for CUDA 12 or older, which is what the driver supports, received NVRTC 13/,
      );
    } finally {
      settings!.set('driverVersion', 13000);
    }
  });
});

/** Last, and in a process of its own by its file: a lost card stays lost. */
describe.skipIf('skipped' in device)('a card that is lost', () => {
  onSoftware('fails whatever is asked of it from then on', async () => {
    const engine = await startCudaEngine({ kernelCache: false }, search);
    const x = new Tensor([3], 'float32', { kind: 'input' });
    const { graph } = buildGraph([mul(x, 2)], [x], () => ({ kind: 'constant' }));
    const program = await engine.compile(graph);
    const a = engine.upload(Float32Array.of(1, 2, 3), [3], 'float32');
    settings!.set('failure', 700);
    settings!.set('failingLaunch', 1);
    const error = await engine.run(program, [a]).then(
      ([result]) => engine.download(result!).catch((caught: unknown) => caught),
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(CudaError);
    expect((error as CudaError).codeName).toBe('CUDA_ERROR_ILLEGAL_ADDRESS');
    expect((error as CudaError).message).toContain('What this process had on the card is lost.');
    await expect(engine.download(a)).rejects.toBe(error);
    await expect(engine.run(program, [a])).rejects.toBe(error);
    engine.free(a);
    engine.release(program);
    await engine.close();
  });
});
