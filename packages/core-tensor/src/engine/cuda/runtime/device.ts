import { CudaError } from '../libraries/cuda-error.js';
import type { DeviceFacts } from '../libraries/driver.js';
import { type CudaLibraries, formatCudaVersion } from '../libraries/open-libraries.js';
import type { CudaOptions } from '../options.js';
import { CachingAllocator } from './allocator.js';
import { createArena } from './arena.js';
import { createDownloads } from './downloads.js';
import { createFailureLog } from './failure-log.js';
import { failureBytes } from './failure-word.js';
import { createKernelCache, kernelCacheFolder, noKernelCache } from './kernel-cache.js';
import { compilerTarget, createKernelCompiler } from './kernel-compiler.js';
import { createProducts } from './products.js';
import { createSharedValues } from './shared-values.js';
import { createStaging } from './staging.js';
import { createTimeline } from './timeline.js';

/** A card in use, with all that programs share on it. */
export type Device = ReturnType<typeof openDevice>;

/** Major compute capability from which on tensor cores take bfloat16, which kernels are written for. */
const leastCapability = 8;
const [computeSegment, copySegment] = [2 ** 20, 16 * 2 ** 20];

/**
 * Takes a card into use.
 *
 * @throws CudaError without a card of that number, or with one that is too old or that NVRTC does not compile for.
 */
export function openDevice(
  { driver, native, nvrtc, nvrtcVersion, driverVersion, cublasLt }: CudaLibraries,
  { device: index = 0, kernelCache, memoryLimit, precision = 'float32' }: CudaOptions,
) {
  driver.initialize();
  const count = driver.deviceCount();
  if (index >= count) {
    throw new CudaError({
      operation: 'cuda engine: start',
      expected: `device to be below ${count}, the number of cards`,
      received: String(index),
      remedy: 'nvidia-smi lists the cards; CUDA_VISIBLE_DEVICES may hide some.',
    });
  }
  const { handle, facts } = driver.device(index);
  if (facts.capability[0] < leastCapability) throw olderCard(facts);
  const target = compilerTarget(facts.capability, nvrtc.architectures());
  if (target.form === 'ptx' && nvrtcVersion[0] * 1000 + nvrtcVersion[1] * 10 > driverVersion) {
    throw olderDriver(facts, nvrtcVersion, driverVersion);
  }
  driver.retainContext(handle);
  const compute = createTimeline(driver);
  const copies = createTimeline(driver);
  const source = {
    allocate: (bytes: number) => driver.allocate(bytes),
    free: (address: number) => driver.free(address),
    memory: () => driver.memory(),
    ticket: () => compute.ticket(),
    isDone: (ticket: number) => compute.isDone(ticket),
  };
  const allocator = new CachingAllocator(source, memoryLimit);
  const failure = allocator.take('start', failureBytes);
  const failures = createFailureLog({ driver, native, timeline: compute }, failure.address);
  const staging = createStaging({ driver, native, timeline: compute }, computeSegment);
  const copyStaging = createStaging({ driver, native, timeline: copies }, copySegment);
  const downloads = createDownloads({ driver, native, timeline: compute });
  const cache = kernelCache === false ? noKernelCache : createKernelCache(kernelCache ?? kernelCacheFolder());
  const compiler = createKernelCompiler({ driver, nvrtc, nvrtcVersion, target, cache });
  const products = createProducts({ cublasLt, allocator, timeline: compute, tf32: precision === 'tf32' });
  const arena = createArena(allocator);
  const shared = createSharedValues(allocator);
  return {
    facts,
    driver,
    native,
    compute,
    copies,
    allocator,
    failure: failure.address,
    failures,
    staging,
    copyStaging,
    downloads,
    compiler,
    products,
    arena,
    shared,
    /** Gives the card back; nothing may be going on any more. */
    async close(): Promise<void> {
      await compiler.close();
      driver.synchronize(compute.stream);
      driver.synchronize(copies.stream);
      products.close();
      arena.close();
      shared.close();
      allocator.give(failure);
      allocator.trim();
      staging.close();
      copyStaging.close();
      downloads.close();
      failures.close();
      compute.close();
      copies.close();
      driver.releaseContext(handle);
    },
  };
}

function olderCard({ name, capability }: DeviceFacts): CudaError {
  return new CudaError({
    operation: 'cuda engine: start',
    expected: `a card of compute capability ${leastCapability}.0 or later`,
    received: `${name}, of ${capability.join('.')}`,
    remedy: 'Choose another with device, or another engine with useEngine.',
  });
}

function olderDriver(
  { name, capability }: DeviceFacts,
  [major, minor]: readonly [number, number],
  driverVersion: number,
): CudaError {
  return new CudaError({
    operation: 'cuda engine: start',
    expected: `a driver for CUDA ${major}.${minor} or newer, or an NVRTC that knows ${name} (${capability.join('.')})`,
    received: `a driver for CUDA ${formatCudaVersion(driverVersion)}`,
    remedy: "Update the driver, or install the NVRTC of the driver's own CUDA version.",
  });
}
