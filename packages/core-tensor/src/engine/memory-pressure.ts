import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { DeviceBuffer } from './engine.js';

/** After this many new bytes a collection is asked for, unless what is alive is larger: then after as much as that. */
const minimumAllowance = 256 * 2 ** 20;

let collector: (() => void) | undefined;

/** Runs the garbage collector; finalizers follow in a later task. */
export function collectGarbage(): void {
  if (!collector) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
}

/**
 * Frees buffers that the program no longer refers to. The garbage collector does not see their bytes, so it is asked
 * to run when many were allocated since it last did.
 */
export class MemoryPressure {
  private readonly sizes = new Map<number, number>();
  private readonly registry = new FinalizationRegistry<number>((id) => this.drop(id));
  private alive = 0;
  private sinceCollection = 0;

  constructor(private readonly free: (ids: readonly number[]) => void) {}

  track(buffer: DeviceBuffer, bytes: number): void {
    this.sizes.set(buffer.id, bytes);
    this.registry.register(buffer, buffer.id, buffer);
    this.alive += bytes;
    this.sinceCollection += bytes;
    if (this.sinceCollection > Math.max(minimumAllowance, this.alive / 2)) {
      this.sinceCollection = 0;
      collectGarbage();
    }
  }

  /** Frees a buffer now; once is enough. */
  release(buffer: DeviceBuffer): void {
    this.registry.unregister(buffer);
    this.drop(buffer.id);
  }

  private drop(id: number): void {
    const bytes = this.sizes.get(id);
    if (bytes === undefined) return;
    this.sizes.delete(id);
    this.alive -= bytes;
    this.sinceCollection = Math.max(0, this.sinceCollection - bytes);
    this.free([id]);
  }
}
