import type { Driver } from '../libraries/driver.js';
import type { Address, Native } from '../libraries/native.js';
import type { Timeline } from './timeline.js';

/** Copies values from the card without making the caller wait. */
export interface Downloads {
  /** Orders the copy at once; resolves with the bytes, in memory of their own, when they are there. */
  download(from: Address, bytes: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
}

/** Page-locked memory of at most this many bytes is kept for later downloads. */
const keptAtMost = 256 * 2 ** 20;
/** Sizes are powers of two, except of what is larger than this. */
const exactFrom = 64 * 2 ** 20;
const smallest = 4096;

export function createDownloads({
  driver,
  native,
  timeline,
}: {
  readonly driver: Driver;
  readonly native: Native;
  readonly timeline: Timeline;
}): Downloads {
  interface Area {
    readonly address: Address;
    readonly bytes: Uint8Array;
  }
  const spare = new Map<number, Area[]>();
  const all = new Set<Area>();
  let kept = 0;

  const take = (bytes: number): Area => {
    const size = bytes > exactFrom ? bytes : 2 ** Math.ceil(Math.log2(Math.max(bytes, smallest)));
    const known = spare.get(size)?.pop();
    if (known) {
      kept -= size;
      return known;
    }
    const address = driver.allocateHost(size);
    const area = { address, bytes: native.view(address, size) };
    all.add(area);
    return area;
  };
  const give = (area: Area) => {
    // What belonged to an engine that was closed meanwhile is gone.
    if (!all.has(area)) return;
    const size = area.bytes.length;
    if (kept + size > keptAtMost) {
      all.delete(area);
      driver.freeHost(area.address);
      return;
    }
    kept += size;
    spare.set(size, [...(spare.get(size) ?? []), area]);
  };

  return {
    async download(from, bytes) {
      if (bytes === 0) return new Uint8Array(0);
      const area = take(bytes);
      driver.copyToHost(area.address, from, bytes, timeline.stream);
      timeline.touch();
      // Where this fails the card might write to the memory yet: it is not used again.
      await timeline.wait(timeline.ticket());
      const copy = new Uint8Array(bytes);
      copy.set(area.bytes.subarray(0, bytes));
      give(area);
      return copy;
    },
    close() {
      for (const { address } of all) driver.freeHost(address);
      all.clear();
      spare.clear();
    },
  };
}
