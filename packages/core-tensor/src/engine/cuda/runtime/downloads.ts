import type { Driver } from '../libraries/driver.js';
import type { Address, Native } from '../libraries/native.js';
import type { Timeline } from './timeline.js';

/** Copies values from the card without making the caller wait. */
export interface Downloads {
  /** Orders the copy at once; resolves with the bytes when they are there. Places are copied in order. */
  download(places: readonly DownloadPlace[]): Promise<Uint8Array[]>;
  close(): void;
}

export interface DownloadPlace {
  readonly from: Address;
  readonly bytes: number;
}

/** Page-locked memory of at most this many bytes is kept for later downloads. */
const keptAtMost = 256 * 2 ** 20;
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
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, smallest)));
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
    async download(places) {
      const offsets: number[] = [];
      let total = 0;
      for (const { bytes } of places) {
        offsets.push(total);
        total += Math.ceil(bytes / 16) * 16;
      }
      const area = take(total);
      let isComplete = false;
      try {
        places.forEach(({ from, bytes }, i) => {
          if (bytes > 0) driver.copyToHost(area.address + offsets[i]!, from, bytes, timeline.stream);
        });
        timeline.touch();
        await timeline.wait(timeline.ticket());
        isComplete = true;
        return places.map(({ bytes }, i) => area.bytes.slice(offsets[i]!, offsets[i]! + bytes));
      } finally {
        // The card might write to it yet where something went wrong.
        if (isComplete) give(area);
      }
    },
    close() {
      for (const { address } of all) driver.freeHost(address);
      all.clear();
      spare.clear();
    },
  };
}
