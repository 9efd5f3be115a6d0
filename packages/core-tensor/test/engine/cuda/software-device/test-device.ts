import { join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import type { SoftwareDevice } from './software-device.js';

/** The device's functions as its own tests call them: by name, with an error for every result that is not success. */
export interface TestDevice {
  call(name: string, signature: string, ...values: readonly unknown[]): void;
  /** Compiles a program; an error holds the compiler's log. */
  compile(source: string, options?: readonly string[]): Buffer;
  load(source: string, options?: readonly string[]): Kernels;
  allocate(bytes: number): bigint;
  upload(data: NodeJS.ArrayBufferView): bigint;
  download(address: bigint, bytes: number): Buffer;
  floats(address: bigint, count: number): Float32Array;
  set(name: string, value: number): void;
  read(name: string): number;
  reset(): void;
  readonly product: LibraryHandle;
}

export interface LaunchOptions {
  readonly grid?: readonly number[];
  readonly block?: readonly number[];
  readonly shared?: number;
  readonly stream?: bigint;
}

export interface Kernels {
  readonly module: bigint;
  function(name: string): bigint;
  launch(name: string, pointers: readonly bigint[], options?: LaunchOptions): void;
}

/** The device of a suite; of one that is skipped, whose tests never use it, there is none. */
export function testDevice(built: SoftwareDevice): TestDevice {
  return 'folder' in built ? openTestDevice(built.folder) : ({} as TestDevice);
}

/** Opens the libraries of a folder. Made again, the device begins anew: nothing allocated, settings as they were given. */
export function openTestDevice(folder: string): TestDevice {
  const driver = koffi.load(join(folder, 'libcuda.so.1'));
  const nvrtc = koffi.load(join(folder, 'libnvrtc.so.13'));
  const product = koffi.load(join(folder, 'libcublasLt.so.13'));
  const functions = new Map<string, ReturnType<LibraryHandle['func']>>();
  const bound = (library: LibraryHandle, name: string, result: string, signature: string) => {
    const key = `${name}(${signature})`;
    const known = functions.get(key);
    if (known) return known;
    const made = library.func(`${result} ${key}`);
    functions.set(key, made);
    return made;
  };
  const errorText = (error: number) => {
    const text = [null];
    bound(driver, 'cuGetErrorString', 'int', 'int error, _Out_ char** text')(error, text);
    return `error ${error}: ${text[0]}`;
  };
  const call: TestDevice['call'] = (name, signature, ...values) => {
    const error = bound(driver, name, 'int', signature)(...values) as number;
    if (error !== 0) throw new Error(`${name}: ${errorText(error)}`);
  };
  const handle = (name: string, signature: string, ...values: readonly unknown[]) => {
    const out = [0n];
    call(name, `_Out_ uint64_t* out${signature ? `, ${signature}` : ''}`, out, ...values);
    return BigInt(out[0]!);
  };
  const compile: TestDevice['compile'] = (source, options = ['--gpu-architecture=sm_90']) => {
    const program = [null];
    bound(nvrtc, 'nvrtcCreateProgram', 'int', '_Out_ void** p, str source, str name, int n, void* h, void* i')(
      program,
      source,
      'kernels.cu',
      0,
      null,
      null,
    );
    const status = bound(
      nvrtc,
      'nvrtcCompileProgram',
      'int',
      'void* p, int n, const char** options',
    )(program[0], options.length, options) as number;
    const contents = (sizeName: string, name: string) => {
      const size = [0];
      bound(nvrtc, sizeName, 'int', 'void* p, _Out_ size_t* size')(program[0], size);
      const bytes = Buffer.alloc(Number(size[0]));
      bound(nvrtc, name, 'int', 'void* p, void* bytes')(program[0], bytes);
      return bytes;
    };
    const bytes = status === 0 ? contents('nvrtcGetCUBINSize', 'nvrtcGetCUBIN') : Buffer.alloc(0);
    const log = contents('nvrtcGetProgramLogSize', 'nvrtcGetProgramLog').toString('utf8').replace(/\0$/, '');
    bound(nvrtc, 'nvrtcDestroyProgram', 'int', '_Inout_ void** p')(program);
    if (status !== 0) throw new Error(`nvrtc status ${status}: ${log}`);
    return bytes;
  };
  const start = () => {
    call('cuInit', 'unsigned int flags', 0);
    call('cuCtxSetCurrent', 'uint64_t context', handle('cuDevicePrimaryCtxRetain', 'int device', 0));
  };
  start();
  const download = (address: bigint, bytes: number) => {
    const data = Buffer.alloc(bytes);
    call('cuMemcpyDtoH_v2', 'void* to, uint64_t from, size_t bytes', data, address, bytes);
    return data;
  };
  const allocate = (bytes: number) => handle('cuMemAlloc_v2', 'size_t bytes', bytes);
  return {
    call,
    compile,
    allocate,
    download,
    product,
    load(source, options) {
      const module = handle('cuModuleLoadData', 'void* image', compile(source, options));
      const find = (name: string) => handle('cuModuleGetFunction', 'uint64_t module, str name', module, name);
      return {
        module,
        function: find,
        launch(name, pointers, { grid = [1, 1, 1], block = [1, 1, 1], shared = 0, stream = 0n } = {}) {
          const values = new BigUint64Array(pointers);
          const base = koffi.address(values);
          const addresses = new BigUint64Array(pointers.map((_, index) => base + BigInt(8 * index)));
          const sizes = [grid[0], grid[1] ?? 1, grid[2] ?? 1, block[0], block[1] ?? 1, block[2] ?? 1];
          call(
            'cuLaunchKernel',
            'uint64_t f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by, unsigned int bz, unsigned int shared, uint64_t stream, void* parameters, void* extra',
            find(name),
            ...sizes,
            shared,
            stream,
            addresses,
            null,
          );
        },
      };
    },
    upload(data) {
      const address = allocate(data.byteLength);
      call('cuMemcpyHtoD_v2', 'uint64_t to, void* from, size_t bytes', address, data, data.byteLength);
      return address;
    },
    floats(address, count) {
      return new Float32Array(new Uint8Array(download(address, 4 * count)).buffer);
    },
    set(name, value) {
      const known = bound(driver, 'softwareDeviceSet', 'int', 'str name, int64_t value')(name, value);
      if (!known) throw new Error(`the software device has no setting ${name}`);
    },
    read: (name) => Number(bound(driver, 'softwareDeviceRead', 'int64_t', 'str name')(name)),
    reset() {
      call('cuDevicePrimaryCtxReset_v2', 'int device', 0);
      start();
    },
  };
}
