import type { Driver } from '../libraries/driver.js';
import type { Address, Native } from '../libraries/native.js';
import type { Timeline } from './timeline.js';

/** Copies values to the card by way of memory that the card reads by itself, so that the caller need not wait. */
export interface Staging {
  /** The bytes may change as soon as this returns. */
  upload(bytes: Uint8Array, to: Address): void;
  close(): void;
}

const alignment = 256;

/**
 * A ring of page-locked segments: while the card reads one, the next is filled.
 *
 * @param segmentBytes of each segment; what is larger goes in parts.
 */
export function createStaging(
  { driver, native, timeline }: { readonly driver: Driver; readonly native: Native; readonly timeline: Timeline },
  segmentBytes: number,
  segmentCount = 4,
): Staging {
  const segments: { readonly address: Address; readonly bytes: Uint8Array; busyUntil: number }[] = [];
  let [current, used] = [-1, segmentBytes];

  const next = () => {
    if (current >= 0) segments[current]!.busyUntil = timeline.mark();
    current = (current + 1) % segmentCount;
    used = 0;
    if (segments.length === current) {
      const address = driver.allocateHost(segmentBytes);
      segments.push({ address, bytes: native.view(address, segmentBytes), busyUntil: 0 });
    }
    timeline.block(segments[current]!.busyUntil);
  };
  return {
    upload(bytes, to) {
      for (let start = 0; start < bytes.length; ) {
        if (used >= segmentBytes) next();
        const segment = segments[current]!;
        const part = bytes.subarray(start, start + Math.min(bytes.length - start, segmentBytes - used));
        segment.bytes.set(part, used);
        driver.copyToDevice(to + start, segment.address + used, part.length, timeline.stream);
        timeline.touch();
        used += Math.ceil(part.length / alignment) * alignment;
        start += part.length;
      }
    },
    close() {
      for (const { address } of segments) driver.freeHost(address);
      segments.length = 0;
    },
  };
}
