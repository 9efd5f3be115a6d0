import { CudaError } from '../libraries/cuda-error.js';
import { type Driver, isFatal } from '../libraries/driver.js';
import type { Address } from '../libraries/native.js';

/** Replays what a program puts on a stream, where it comes again with the same memory. */
export interface GraphCache {
  /**
   * Puts work on the stream: as it is at first, then recorded as a graph and replayed.
   *
   * @param key of all addresses that the work is about.
   */
  submit(key: string, work: () => void): void;
  close(): void;
}

/** Recordings that a program keeps, and keys it has met once: the longest unused are dropped first. */
const [mostRecorded, mostMet] = [8, 64];

export function createGraphCache(driver: Driver, stream: Address): GraphCache {
  const recorded = new Map<string, Address>();
  const met = new Set<string>();
  let isPossible = true;

  const record = (work: () => void): Address => {
    driver.beginCapture(stream);
    let graph: Address | undefined;
    try {
      work();
    } finally {
      graph = driver.endCapture(stream);
    }
    try {
      return driver.instantiate(graph);
    } finally {
      driver.destroyGraph(graph);
    }
  };

  const remember = (key: string, executable: Address) => {
    recorded.set(key, executable);
    if (recorded.size <= mostRecorded) return;
    const [oldest, dropped] = recorded.entries().next().value!;
    recorded.delete(oldest);
    driver.destroyExecutable(dropped);
  };

  return {
    submit(key, work) {
      const known = recorded.get(key);
      if (known !== undefined) {
        recorded.delete(key);
        recorded.set(key, known);
        driver.launchGraph(known, stream);
        return;
      }
      if (!isPossible || !met.has(key)) {
        met.add(key);
        if (met.size > mostMet) met.delete(met.values().next().value!);
        work();
        return;
      }
      try {
        remember(key, record(work));
      } catch (error) {
        // What cannot be recorded can still be run.
        if (!(error instanceof CudaError) || isFatal(error)) throw error;
        isPossible = false;
        work();
        return;
      }
      driver.launchGraph(recorded.get(key)!, stream);
    },
    close() {
      for (const executable of recorded.values()) driver.destroyExecutable(executable);
      recorded.clear();
    },
  };
}
