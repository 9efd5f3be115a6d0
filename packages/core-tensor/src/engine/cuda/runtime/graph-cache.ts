import { CudaError } from '../libraries/cuda-error.js';
import type { Driver } from '../libraries/driver.js';
import { isFatal } from '../libraries/driver-errors.js';
import type { Address } from '../libraries/native.js';

/** Replays what a program puts on a stream, where it comes again with the same memory. */
export interface GraphCache {
  /**
   * Puts work on the stream: as it is at first, then recorded as a graph and replayed.
   *
   * @param addresses all that the work is about.
   */
  submit(addresses: readonly Address[], work: () => void): void;
  close(): void;
}

/** Recordings that a program keeps, and addresses it has met once: the longest unused are dropped first. */
const [mostRecorded, mostMet] = [8, 32];

/** Work as it was met, the latest first. */
interface Met {
  readonly addresses: Float64Array;
  executable: Address | undefined;
}

export function createGraphCache(driver: Driver, stream: Address): GraphCache {
  const known: Met[] = [];
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

  /** Drops what has not come again for longest. */
  const forget = () => {
    const recorded = known.filter(({ executable }) => executable !== undefined);
    const dropped =
      recorded.length > mostRecorded ? recorded.at(-1) : known.length > mostMet ? known.at(-1) : undefined;
    if (!dropped) return;
    known.splice(known.indexOf(dropped), 1);
    if (dropped.executable !== undefined) driver.destroyExecutable(dropped.executable);
  };

  return {
    submit(addresses, work) {
      const index = isPossible ? known.findIndex((each) => isSame(each.addresses, addresses)) : -1;
      if (index < 0) {
        if (isPossible) known.unshift({ addresses: Float64Array.from(addresses), executable: undefined });
        forget();
        work();
        return;
      }
      const [met] = known.splice(index, 1) as [Met];
      known.unshift(met);
      try {
        met.executable ??= record(work);
      } catch (error) {
        // What cannot be recorded can still be run.
        if (!(error instanceof CudaError) || isFatal(error)) throw error;
        isPossible = false;
        work();
        return;
      }
      forget();
      driver.launchGraph(met.executable, stream);
    },
    close() {
      for (const { executable } of known) if (executable !== undefined) driver.destroyExecutable(executable);
      known.length = 0;
    },
  };
}

function isSame(known: Float64Array, addresses: readonly Address[]): boolean {
  if (known.length !== addresses.length) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== addresses[i]) return false;
  return true;
}
