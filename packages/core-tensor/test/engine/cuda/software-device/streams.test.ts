import { afterEach, describe, expect, it } from 'vitest';
import { softwareDevice } from './software-device.js';
import { testDevice } from './test-device.js';

const built = await softwareDevice();

describe.skipIf('skipped' in built)('streams and graphs of the software device', () => {
  const device = testDevice(built);
  afterEach(() => {
    device.set('deferred', 0);
    device.reset();
  });
  const created = (name: string, ...rest: readonly unknown[]) => {
    const out = [0n];
    const signature = {
      cuStreamCreate: 'unsigned int flags',
      cuEventCreate: 'unsigned int flags',
      cuMemAllocHost_v2: 'size_t bytes',
    };
    device.call(name, `_Out_ uint64_t* out, ${signature[name as keyof typeof signature]}`, out, ...rest);
    return BigInt(out[0]!);
  };
  const stream = () => created('cuStreamCreate', 1);
  const increments = () =>
    device.load('extern "C" __global__ void increment(float* x, float* out) { out[0] = x[0] + 1; }');
  const begin = (on: bigint, mode = 1) => device.call('cuStreamBeginCapture_v2', 'uint64_t stream, int mode', on, mode);
  const end = (on: bigint) => {
    const graph = [0n];
    device.call('cuStreamEndCapture', 'uint64_t stream, _Out_ uint64_t* graph', on, graph);
    return BigInt(graph[0]!);
  };
  const instantiate = (graph: bigint) => {
    const executable = [0n];
    device.call(
      'cuGraphInstantiateWithFlags',
      '_Out_ uint64_t* e, uint64_t graph, uint64_t flags',
      executable,
      graph,
      0,
    );
    return BigInt(executable[0]!);
  };
  const replay = (executable: bigint, on: bigint) =>
    device.call('cuGraphLaunch', 'uint64_t graph, uint64_t stream', executable, on);

  it('records a capture without running it, and replays it', () => {
    const on = stream();
    const kernels = increments();
    const x = device.upload(Float32Array.of(0));
    begin(on);
    for (let count = 0; count < 3; count++) kernels.launch('increment', [x, x], { stream: on });
    const graph = end(on);
    expect(device.floats(x, 1)[0]).toBe(0);
    const executable = instantiate(graph);
    device.call('cuGraphDestroy', 'uint64_t graph', graph);
    replay(executable, on);
    replay(executable, on);
    expect(device.floats(x, 1)[0]).toBe(6);
    device.call('cuMemFree_v2', 'uint64_t address', x);
    expect(() => replay(executable, on)).toThrow(/error 700.*has been freed/);
    device.call('cuGraphExecDestroy', 'uint64_t graph', executable);
    expect(() => replay(executable, on)).toThrow(/error 400/);
  });

  it('takes another stream into a capture by an event', () => {
    const [first, second] = [stream(), stream()];
    const event = created('cuEventCreate', 2);
    const kernels = increments();
    const x = device.upload(Float32Array.of(0));
    begin(first);
    device.call('cuEventRecord', 'uint64_t event, uint64_t stream', event, first);
    device.call('cuStreamWaitEvent', 'uint64_t stream, uint64_t event, unsigned int flags', second, event, 0);
    kernels.launch('increment', [x, x], { stream: second });
    const graph = end(first);
    expect(device.floats(x, 1)[0]).toBe(0);
    replay(instantiate(graph), first);
    expect(device.floats(x, 1)[0]).toBe(1);
  });

  it('refuses in a capture what a card refuses', () => {
    const on = stream();
    begin(on);
    expect(() => device.call('cuStreamSynchronize', 'uint64_t stream', on)).toThrow(/error 900/);
    expect(() => end(on)).toThrow(/error 901/);
    begin(on, 0);
    expect(() => device.allocate(16)).toThrow(/error 900.*memory is allocated while a stream is captured/);
    expect(() => end(on)).toThrow(/error 901/);
    begin(on, 2);
    device.allocate(16);
    expect(() => begin(on)).toThrow(/error 401/);
    end(on);
    expect(() => end(on)).toThrow(/error 903/);
  });

  it('keeps work until it is waited for where it is told to', () => {
    const [first, second] = [stream(), stream()];
    const event = created('cuEventCreate', 2);
    const kernels = increments();
    const x = device.upload(Float32Array.of(1));
    const y = device.upload(Float32Array.of(0));
    device.set('deferred', 1);
    kernels.launch('increment', [x, x], { stream: first });
    device.call('cuEventRecord', 'uint64_t event, uint64_t stream', event, first);
    // The second stream does not wait: it reads what was there before.
    kernels.launch('increment', [x, y], { stream: second });
    device.call('cuStreamSynchronize', 'uint64_t stream', second);
    device.call('cuStreamWaitEvent', 'uint64_t stream, uint64_t event, unsigned int flags', second, event, 0);
    kernels.launch('increment', [x, x], { stream: second });
    expect(() => device.call('cuStreamQuery', 'uint64_t stream', second)).toThrow(/error 600/);
    device.call('cuStreamSynchronize', 'uint64_t stream', second);
    device.set('deferred', 0);
    expect(device.floats(y, 1)[0]).toBe(2);
    expect(device.floats(x, 1)[0]).toBe(3);
  });

  it('reads pinned memory when a deferred copy is made, ordinary memory at the call', () => {
    const on = stream();
    const pinned = created('cuMemAllocHost_v2', 4);
    const ordinary = Float32Array.of(1);
    const [x, y] = [device.allocate(4), device.allocate(4)];
    const copy = (to: bigint, from: unknown, kind: string) =>
      device.call('cuMemcpyHtoDAsync_v2', `uint64_t to, ${kind} from, size_t bytes, uint64_t stream`, to, from, 4, on);
    const kernels = device.load('extern "C" __global__ void write(float* x) { x[0] = x[0] + 1; }');
    device.set('deferred', 1);
    copy(x, ordinary, 'void*');
    copy(y, pinned, 'uint64_t');
    ordinary[0] = 5;
    device.set('deferred', 0);
    // On another stream, which the copies do not wait for: pinned memory is the device's too.
    device.call('cuMemsetD32Async', 'uint64_t to, unsigned int value, size_t count, uint64_t stream', x, 0, 1, 0n);
    device.call('cuStreamSynchronize', 'uint64_t stream', on);
    expect(device.floats(x, 1)[0]).toBe(1);
    expect(device.floats(y, 1)[0]).toBeNaN();
    kernels.launch('write', [x], { stream: on });
    expect(device.floats(x, 1)[0]).toBe(2);
  });
});
