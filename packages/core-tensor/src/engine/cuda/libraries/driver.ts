import { driverError } from './driver-errors.js';
import { loadDriverFunctions } from './driver-functions.js';
import type { FoundLibrary } from './find-libraries.js';
import { type Address, type Native, readAddress } from './native.js';

/** Facts about a card. */
export interface DeviceFacts {
  readonly index: number;
  readonly name: string;
  readonly capability: readonly [major: number, minor: number];
  readonly totalBytes: number;
  readonly multiprocessors: number;
  /** Shared memory that a block may ask for. */
  readonly sharedBytes: number;
}

/** How a kernel is launched. */
export interface Launch {
  readonly function: Address;
  readonly grid: readonly [x: number, y: number, z: number];
  readonly block: readonly [x: number, y: number, z: number];
  readonly sharedBytes: number;
}

/** What a call returns that has not failed, one that found no memory, and one that found work unfinished. */
const [success, outOfMemory, notReady] = [0, 2, 600];

/** The CUDA driver's functions, as far as the engine uses them. Each throws CudaError where the driver says no. */
export type Driver = ReturnType<typeof bindDriver>;

/** Functions of the driver whose context this thread is in. */
let entered: object | undefined;

/** Functions of the driver that a library holds. @throws CudaLibraryError if it lacks one. */
export function bindDriver(native: Native, found: FoundLibrary) {
  const cu = loadDriverFunctions(native, found);
  /** Where the driver writes what it returns. */
  const scratch = native.allocate(256);
  const place = scratch.address;
  const result = () => readAddress(scratch.view, 0);
  const integer = () => scratch.view.getInt32(0, true);

  const failure = (code: number, call: string, operation: string) =>
    driverError(native, cu, scratch, { code, call, operation });
  const check = (code: number, call: string, operation: string): void => {
    if (code !== success) throw failure(code, call, operation);
  };

  let context: Address = 0;
  /** Makes this driver's context the thread's, which another engine may have changed. */
  const enter = (): void => {
    if (entered === cu) return;
    check(cu.ctxSetCurrent(context), 'cuCtxSetCurrent', 'take the card into use');
    entered = cu;
  };

  return {
    /** Version of CUDA that the driver supports, such as 13000 for 13.0. */
    version(): number {
      check(cu.driverGetVersion(place), 'cuDriverGetVersion', "read the driver's version");
      return integer();
    },
    initialize(): void {
      check(cu.init(0), 'cuInit', 'start');
    },
    deviceCount(): number {
      check(cu.deviceGetCount(place), 'cuDeviceGetCount', 'count the cards');
      return integer();
    },
    device(index: number): { readonly handle: number; readonly facts: DeviceFacts } {
      const operation = `look at card ${index}`;
      check(cu.deviceGet(place, index), 'cuDeviceGet', operation);
      const handle = integer();
      check(cu.deviceGetName(place, scratch.bytes.length, handle), 'cuDeviceGetName', operation);
      const name = native.text(place);
      const attribute = (number: number): number => {
        check(cu.deviceGetAttribute(place, number, handle), 'cuDeviceGetAttribute', operation);
        return integer();
      };
      const capability = [attribute(75), attribute(76)] as const;
      const [multiprocessors, sharedBytes] = [attribute(16), attribute(97)];
      check(cu.deviceTotalMem(place, handle), 'cuDeviceTotalMem_v2', operation);
      const facts = { index, name, capability, totalBytes: result(), multiprocessors, sharedBytes };
      return { handle, facts };
    },
    /** Takes the context that all of a process's users of a card share. What follows happens on that card. */
    retainContext(device: number): void {
      check(cu.primaryCtxRetain(place, device), 'cuDevicePrimaryCtxRetain', 'take the card into use');
      context = result();
      entered = undefined;
      enter();
    },
    releaseContext(device: number): void {
      check(cu.primaryCtxRelease(device), 'cuDevicePrimaryCtxRelease_v2', 'give the card back');
      if (entered === cu) entered = undefined;
    },
    enter,
    memory(): { readonly free: number; readonly total: number } {
      enter();
      check(cu.memGetInfo(place, place + 8), 'cuMemGetInfo_v2', 'look at the memory');
      return { free: result(), total: readAddress(scratch.view, 8) };
    },
    /** Memory of the card; undefined where there is not enough. */
    allocate(bytes: number): Address | undefined {
      enter();
      const code = cu.memAlloc(place, bytes);
      if (code === outOfMemory) return undefined;
      check(code, 'cuMemAlloc_v2', `allocate ${bytes} bytes`);
      return result();
    },
    /** Waits for what uses the memory. */
    free(address: Address): void {
      enter();
      check(cu.memFree(address), 'cuMemFree_v2', 'free memory');
    },
    /** Memory of the host that the card reads and writes by itself. */
    allocateHost(bytes: number): Address {
      enter();
      check(cu.memHostAlloc(place, bytes, 0), 'cuMemHostAlloc', `allocate ${bytes} bytes of page-locked memory`);
      return result();
    },
    freeHost(address: Address): void {
      enter();
      check(cu.memFreeHost(address), 'cuMemFreeHost', 'free page-locked memory');
    },
    copyToDevice(to: Address, from: Address, bytes: number, stream: Address): void {
      enter();
      check(cu.memcpyHtoDAsync(to, from, bytes, stream), 'cuMemcpyHtoDAsync_v2', `upload ${bytes} bytes`);
    },
    copyToHost(to: Address, from: Address, bytes: number, stream: Address): void {
      enter();
      check(cu.memcpyDtoHAsync(to, from, bytes, stream), 'cuMemcpyDtoHAsync_v2', `download ${bytes} bytes`);
    },
    copy(to: Address, from: Address, bytes: number, stream: Address): void {
      enter();
      check(cu.memcpyDtoDAsync(to, from, bytes, stream), 'cuMemcpyDtoDAsync_v2', `copy ${bytes} bytes`);
    },
    fill(to: Address, byte: number, bytes: number, stream: Address): void {
      enter();
      check(cu.memsetD8Async(to, byte, bytes, stream), 'cuMemsetD8Async', `fill ${bytes} bytes`);
    },
    createStream(): Address {
      enter();
      // Not ordered with the default stream, which others in the process may use.
      check(cu.streamCreate(place, 1), 'cuStreamCreate', 'create a stream');
      return result();
    },
    destroyStream(stream: Address): void {
      enter();
      check(cu.streamDestroy(stream), 'cuStreamDestroy_v2', 'destroy a stream');
    },
    synchronize(stream: Address): void {
      enter();
      check(cu.streamSynchronize(stream), 'cuStreamSynchronize', 'wait for the card');
    },
    /** What is put on the stream from now on waits for the event. */
    waitInStream(stream: Address, event: Address): void {
      enter();
      check(cu.streamWaitEvent(stream, event, 0), 'cuStreamWaitEvent', 'order two streams');
    },
    beginCapture(stream: Address): void {
      enter();
      // Calls of this thread outside the stream stay allowed: the memory of a program is known before.
      check(cu.streamBeginCapture(stream, 2), 'cuStreamBeginCapture_v2', 'record a program');
    },
    /** The graph of what was put on the stream since. */
    endCapture(stream: Address): Address {
      check(cu.streamEndCapture(stream, place), 'cuStreamEndCapture', 'record a program');
      return result();
    },
    createEvent(): Address {
      enter();
      // Without times, which cost.
      check(cu.eventCreate(place, 2), 'cuEventCreate', 'create an event');
      return result();
    },
    destroyEvent(event: Address): void {
      enter();
      check(cu.eventDestroy(event), 'cuEventDestroy_v2', 'destroy an event');
    },
    record(event: Address, stream: Address): void {
      enter();
      check(cu.eventRecord(event, stream), 'cuEventRecord', 'mark a place in a stream');
    },
    /** Whether the card has passed the event. */
    isReached(event: Address): boolean {
      enter();
      const code = cu.eventQuery(event);
      if (code === notReady) return false;
      check(code, 'cuEventQuery', 'look how far the card is');
      return true;
    },
    waitFor(event: Address): void {
      enter();
      check(cu.eventSynchronize(event), 'cuEventSynchronize', 'wait for the card');
    },
    loadModule(image: Uint8Array): Address {
      enter();
      check(cu.moduleLoadData(place, image), 'cuModuleLoadData', 'load kernels');
      return result();
    },
    unloadModule(module: Address): void {
      enter();
      check(cu.moduleUnload(module), 'cuModuleUnload', 'unload kernels');
    },
    functionOf(module: Address, name: string): Address {
      enter();
      check(cu.moduleGetFunction(place, module, name), 'cuModuleGetFunction', `find the kernel ${name}`);
      return result();
    },
    allowSharedMemory(kernel: Address, bytes: number): void {
      enter();
      check(cu.funcSetAttribute(kernel, 8, bytes), 'cuFuncSetAttribute', `allow ${bytes} bytes of shared memory`);
    },
    /** @param values where the addresses of the arguments are. */
    launch({ function: kernel, grid, block, sharedBytes }: Launch, values: Address, stream: Address): void {
      enter();
      const code = cu.launchKernel(
        kernel,
        grid[0],
        grid[1],
        grid[2],
        block[0],
        block[1],
        block[2],
        sharedBytes,
        stream,
        values,
        0,
      );
      if (code !== success) {
        const sizes = `grid ${grid.join('×')}, block ${block.join('×')}, ${sharedBytes} bytes of shared memory`;
        throw failure(code, 'cuLaunchKernel', `launch a kernel (${sizes})`);
      }
    },
    instantiate(graph: Address): Address {
      enter();
      check(cu.graphInstantiate(place, graph, 0), 'cuGraphInstantiateWithFlags', 'prepare a recorded program');
      return result();
    },
    launchGraph(executable: Address, stream: Address): void {
      enter();
      check(cu.graphLaunch(executable, stream), 'cuGraphLaunch', 'replay a recorded program');
    },
    destroyExecutable(executable: Address): void {
      check(cu.graphExecDestroy(executable), 'cuGraphExecDestroy', 'drop a recorded program');
    },
    destroyGraph(graph: Address): void {
      check(cu.graphDestroy(graph), 'cuGraphDestroy', 'drop a recording');
    },
  };
}
