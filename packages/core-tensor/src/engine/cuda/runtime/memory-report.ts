import type { Engine } from '../../engine.js';
import { engineError } from './buffers.js';
import type { Device } from './device.js';

/** Memory of a card, in bytes. */
export interface CudaMemoryUse {
  /** Given out by the engine now, and at once at most: values, constants, intermediate values and workspaces. */
  readonly alive: number;
  readonly peak: number;
  /** Kept by the engine for later. */
  readonly kept: number;
  /** What the driver has left to give, and what the card has. */
  readonly free: number;
  readonly total: number;
}

const devices = new WeakMap<Engine, Device>();

/** Notes on which card an engine computes. */
export function noteDevice(engine: Engine, device: Device): void {
  devices.set(engine, device);
}

/**
 * How much of its card's memory a `cuda` engine takes.
 *
 * @throws EngineError for another engine; CudaError for one that was closed.
 */
export function cudaMemory(engine: Engine): CudaMemoryUse {
  const device = devices.get(engine);
  if (!device) throw engineError('cudaMemory', 'an engine of the name cuda', engine.name);
  return { ...device.allocator.statistics, ...device.driver.memory() };
}
