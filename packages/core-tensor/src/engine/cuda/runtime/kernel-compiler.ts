import { availableParallelism } from 'node:os';
import { preludeSource } from '../codegen/prelude.js';
import type { Kernel } from '../compiler/program-plan.js';
import { CudaError } from '../libraries/cuda-error.js';
import type { Driver } from '../libraries/driver.js';
import type { Address } from '../libraries/native.js';
import type { Nvrtc } from '../libraries/nvrtc.js';
import { hashOf, type KernelCache } from './kernel-cache.js';

/** Makes kernels that the driver can launch. */
export interface KernelCompiler {
  /** The driver's handle of a kernel; texts with equal content are compiled once. */
  compile(kernel: Kernel): Promise<Address>;
  /** Gives up all kernels, once those being compiled are done. */
  close(): Promise<void>;
}

/** What kernels are compiled for and with. */
export interface CompilerTarget {
  /** `cubin`: code for the card itself; `ptx`: for the newest card that NVRTC knows, which the driver completes. */
  readonly form: 'cubin' | 'ptx';
  readonly options: readonly string[];
}

/** Kernels compiled together at most: one text takes the compiler a while to begin with. */
const batchSize = 16;

/** How to compile for a card of a compute capability, by what NVRTC knows. */
export function compilerTarget(
  [major, minor]: readonly [number, number],
  architectures: readonly number[],
): CompilerTarget {
  const wanted = major * 10 + minor;
  const known = architectures.filter((each) => each <= wanted).at(-1);
  if (known === undefined) {
    throw new CudaError({
      operation: 'cuda engine: start',
      expected: `an NVRTC that compiles for compute capability ${major}.${minor}`,
      received: `one that compiles for ${architectures.map((each) => (each / 10).toFixed(1)).join(', ')}`,
      remedy: 'Install the NVRTC of an earlier CUDA, and name its folder in OCELLI_CUDA_LIBRARIES.',
    });
  }
  const form = known === wanted ? 'cubin' : 'ptx';
  return { form, options: [`--gpu-architecture=${form === 'cubin' ? 'sm' : 'compute'}_${known}`, '--std=c++17'] };
}

interface Request {
  readonly key: string;
  readonly kernel: Kernel;
  readonly resolve: (kernel: Address) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Compiles kernels through NVRTC, keeping them in memory by their text and between processes in a cache. Those that are
 * asked for in one turn of the event loop are compiled together, in as many threads as there are cores.
 */
export function createKernelCompiler({
  driver,
  nvrtc,
  nvrtcVersion,
  target,
  cache,
}: {
  readonly driver: Pick<Driver, 'loadModule' | 'unloadModule' | 'functionOf'>;
  readonly nvrtc: Pick<Nvrtc, 'compile'>;
  readonly nvrtcVersion: readonly [number, number];
  readonly target: CompilerTarget;
  readonly cache: KernelCache;
}): KernelCompiler {
  const surroundings = hashOf([preludeSource, target.form, ...target.options, nvrtcVersion.join('.')]);
  const known = new Map<string, Promise<Address>>();
  /** Modules that the driver holds by their hash; undefined where a cached one was of no use. */
  const modules = new Map<string, Promise<Address | undefined>>();
  let waiting: Request[] = [];
  const working = new Set<Promise<void>>();
  let isClosed = false;

  const load = (image: Uint8Array): Address => {
    if (isClosed) throw closed();
    return driver.loadModule(image);
  };

  /** A module of an earlier process; a file that is damaged, or that the driver refuses, counts as none. */
  const cachedModule = (module: string): Promise<Address | undefined> => {
    const found = modules.get(module);
    if (found) return found;
    const loading = cache.readModule(module).then((image) => {
      if (!image) return undefined;
      try {
        return load(image);
      } catch (error) {
        if (error instanceof CudaError && isImageProblem(error)) return undefined;
        throw error;
      }
    });
    modules.set(module, loading);
    return loading;
  };

  const fromCache = async ({ key }: Request): Promise<Address | undefined> => {
    const place = await cache.find(key);
    const module = place && (await cachedModule(place.module));
    if (place === undefined || module === undefined) return undefined;
    try {
      return driver.functionOf(module, place.symbol);
    } catch (error) {
      if (error instanceof CudaError && error.code === notFound) return undefined;
      throw error;
    }
  };

  const compileBatch = async (requests: readonly Request[]): Promise<void> => {
    const symbols = new Map(requests.map(({ key, kernel }) => [key, `${kernel.name}_${key.slice(0, 12)}`]));
    const texts = requests.map(({ key, kernel }) => renamed(kernel, symbols.get(key)!));
    const image = await nvrtc.compile(`${preludeSource}\n${texts.join('\n')}`, target.options, target.form);
    const module = hashOf([surroundings, ...texts]);
    const handle = load(image);
    modules.set(module, Promise.resolve(handle));
    for (const { key, resolve } of requests) resolve(driver.functionOf(handle, symbols.get(key)!));
    await cache.write(module, image, symbols);
  };

  /** Where kernels do not compile together, each is compiled alone, so that the error is about the one that is wrong. */
  const compileOrSplit = async (requests: readonly Request[]): Promise<void> => {
    try {
      await compileBatch(requests);
    } catch (error) {
      if (requests.length > 1) {
        for (const request of requests) await compileOrSplit([request]);
        return;
      }
      requests[0]!.reject(isClosed ? closed() : describe(error, requests[0]!.kernel));
    }
  };

  const flush = async (): Promise<void> => {
    const requests = waiting;
    waiting = [];
    const missing: Request[] = [];
    await Promise.all(
      requests.map(async (request) => {
        try {
          const found = await fromCache(request);
          if (found === undefined) missing.push(request);
          else request.resolve(found);
        } catch (error) {
          request.reject(error);
        }
      }),
    );
    // In the order of their keys, so that a program's text does not depend on how fast files are read.
    missing.sort((a, b) => (a.key < b.key ? -1 : 1));
    const threads = availableParallelism();
    const size = Math.min(batchSize, Math.ceil(missing.length / threads));
    const batches: Request[][] = [];
    for (let start = 0; start < missing.length; start += size) batches.push(missing.slice(start, start + size));
    const work = batches.values();
    const worker = async () => {
      for (const batch of work) await compileOrSplit(batch);
    };
    await Promise.all(Array.from({ length: Math.min(threads, batches.length) }, worker));
  };

  const begin = () => {
    const work = flush().finally(() => working.delete(work));
    working.add(work);
  };

  return {
    compile(kernel) {
      const key = hashOf([surroundings, kernel.name, kernel.source]);
      const found = known.get(key);
      if (found) return found;
      const compiled = new Promise<Address>((resolve, reject) => {
        if (waiting.length === 0) setImmediate(begin);
        waiting.push({ key, kernel, resolve, reject });
      });
      known.set(key, compiled);
      compiled.catch(() => known.delete(key));
      return compiled;
    },
    async close() {
      isClosed = true;
      for (const { reject } of waiting) reject(closed());
      waiting = [];
      await Promise.all(working);
      for (const module of modules.values()) {
        const handle = await module.catch(() => undefined);
        if (handle !== undefined) driver.unloadModule(handle);
      }
      modules.clear();
      known.clear();
    },
  };
}

/** A kernel's text with another name, so that several have room in one module. */
function renamed({ name, source }: Kernel, symbol: string): string {
  return source.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), symbol);
}

/** `CUDA_ERROR_NOT_FOUND`. */
const notFound = 500;

/** Whether the driver cannot make anything of a module: it is damaged, or for another card. */
function isImageProblem({ code }: CudaError): boolean {
  return code === 200 || code === 209 || code === 218 || code === 222 || code === 300;
}

function describe(error: unknown, { name }: Kernel): unknown {
  if (!(error instanceof CudaError) || error.call !== 'nvrtcCompileProgram') return error;
  const { expected, received, remedy, call, code, codeName } = error;
  return new CudaError({ operation: `cuda engine: compile ${name}`, expected, received, remedy, call, code, codeName });
}

function closed(): CudaError {
  return new CudaError({
    operation: 'cuda engine: compile kernels',
    expected: 'a running engine',
    received: 'one that was closed',
    remedy: 'Start another with useEngine.',
  });
}
