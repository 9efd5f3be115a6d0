import { EngineError } from '../../../errors.js';
import { CudaLibraryError } from './cuda-error.js';
import type { FoundLibrary } from './find-libraries.js';
import { libraryKinds } from './library-kinds.js';

type Koffi = typeof import('koffi');

/** An address in memory, of the host or of the card, or a handle: below 2^53 on every platform there is. */
export type Address = number;

/** A C function. */
export type NativeFunction = ((...values: (number | string | readonly string[] | Uint8Array)[]) => number) & {
  async(...values: unknown[]): void;
};

/** A shared library that is loaded. */
export interface NativeLibrary {
  /** @throws CudaLibraryError if the library has no such function. */
  func(name: string, parameters: readonly string[]): NativeFunction;
  /** A function that older versions of the library lack. */
  optional(name: string, parameters: readonly string[], result?: string): NativeFunction | undefined;
}

/** Memory of the host that stays where it is, so that native code may keep its address. */
export interface HostMemory {
  readonly address: Address;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** After this the memory must not be touched. */
  free(): void;
}

/** How native code is reached. */
export interface Native {
  /** @throws CudaLibraryError if it does not load. */
  load(library: FoundLibrary): NativeLibrary;
  allocate(bytes: number): HostMemory;
  /** Memory that native code gave, as bytes; not to be used after it is gone. */
  view(address: Address, bytes: number): Uint8Array;
  /** Text that ends with a zero byte. */
  text(address: Address): string;
  /** Makes a long call in another thread, unless the threads' stacks are too small for it. */
  inThread(call: NativeFunction, ...values: readonly unknown[]): Promise<number>;
}

let loaded: Promise<Native> | undefined;

/**
 * Loads `koffi`, once.
 *
 * @throws EngineError if it is not installed.
 */
export function loadNative(): Promise<Native> {
  loaded ??= import('koffi').then(
    (module) => createNative(module.default as unknown as Koffi),
    (cause: unknown) => {
      loaded = undefined;
      throw new EngineError({
        operation: 'cuda engine: start',
        expected: "the package koffi, through which NVIDIA's libraries are called",
        received: `none that loads (${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)})`,
        remedy: 'npm install koffi. It is an optional dependency: an install without those leaves it out.',
        cause,
      });
    },
  );
  return loaded;
}

/** Compilers go deep: calls run on stacks of this size, as threads have them by default; with less than the least none does. */
const [stackBytes, leastStackBytes] = [8 * 2 ** 20, 2 ** 20];

/** Asks for deep stacks, which is possible until the process has loaded its first library. */
function deepenStacks(koffi: Koffi): void {
  const { sync_stack_size = 0, async_stack_size = 0 } = koffi.config();
  try {
    koffi.config({
      ...koffi.config(),
      sync_stack_size: Math.max(stackBytes, sync_stack_size),
      async_stack_size: Math.max(stackBytes, async_stack_size),
    });
  } catch {
    // Another user of koffi came first: what threads cannot do is done without them, see `inThread`.
  }
}

function createNative(koffi: Koffi): Native {
  deepenStacks(koffi);
  const hasDeepThreads = (koffi.config().async_stack_size ?? 0) >= leastStackBytes;
  const view = (address: Address, bytes: number) => new Uint8Array(koffi.view(BigInt(address), bytes));
  return {
    load: (library) => loadLibrary(koffi, library),
    allocate(size) {
      const pointer = koffi.alloc('uint8', size) as bigint;
      const address = Number(pointer);
      const bytes = view(address, size);
      bytes.fill(0);
      return { address, bytes, view: new DataView(bytes.buffer), free: () => koffi.free(pointer) };
    },
    view,
    text: (address) => koffi.decode.string(BigInt(address)),
    inThread: (call, ...values) =>
      hasDeepThreads ? inThread(call, values) : Promise.resolve().then(() => call(...(values as number[]))),
  };
}

function loadLibrary(koffi: Koffi, { name, path, origin }: FoundLibrary): NativeLibrary {
  const { title } = libraryKinds[name];
  const failure = (operation: string, expected: string, cause: unknown) =>
    new CudaLibraryError({
      operation,
      expected,
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: `It was found through ${origin}. Set OCELLI_CUDA_LIBRARIES to the folder of another.`,
      library: title,
      searched: [path],
      cause,
    });
  const handle = (() => {
    try {
      return koffi.load(path);
    } catch (cause) {
      throw failure(`load ${title}`, `${path} to be a library of this system`, cause);
    }
  })();
  const func = (symbol: string, parameters: readonly string[], result = 'int') =>
    handle.func(symbol, result, [...parameters]) as unknown as NativeFunction;
  return {
    func(symbol, parameters) {
      try {
        return func(symbol, parameters);
      } catch (cause) {
        throw failure(`load ${title}`, `the function ${symbol} in ${path}`, cause);
      }
    },
    optional(symbol, parameters, result) {
      try {
        return func(symbol, parameters, result);
      } catch {
        return undefined;
      }
    },
  };
}

function inThread(call: NativeFunction, values: readonly unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(...values, (error: unknown, result: number) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(result);
    });
  });
}

/** Writes an address where native code reads a pointer. */
export function writeAddress(view: DataView, offset: number, address: Address): void {
  view.setUint32(offset, address % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(address / 2 ** 32), true);
}

/** Reads a pointer or a size of 64 bits. */
export function readAddress(view: DataView, offset: number): Address {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}
