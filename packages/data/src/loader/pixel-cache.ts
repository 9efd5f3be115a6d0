import type { PixelValues } from '../image/preprocess.js';

/** Preprocessed images by path, as many as fit. */
export interface PixelCache {
  get(path: string): PixelValues | undefined;
  set(path: string, pixels: PixelValues): void;
  /** Bytes held. */
  readonly bytes: number;
}

/** A cache that forgets what was not used for the longest time once it holds more than `maximumBytes`. */
export function createPixelCache(maximumBytes: number): PixelCache {
  // A Map iterates in the order of insertion: what is used is inserted again, so the first entry is the oldest.
  const entries = new Map<string, PixelValues>();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    get(path) {
      const pixels = entries.get(path);
      if (pixels !== undefined) {
        entries.delete(path);
        entries.set(path, pixels);
      }
      return pixels;
    },
    set(path, pixels) {
      if (pixels.data.byteLength > maximumBytes) return;
      const previous = entries.get(path);
      if (previous !== undefined) {
        bytes -= previous.data.byteLength;
        entries.delete(path);
      }
      entries.set(path, pixels);
      bytes += pixels.data.byteLength;
      for (const [oldest, { data }] of entries) {
        if (bytes <= maximumBytes) break;
        entries.delete(oldest);
        bytes -= data.byteLength;
      }
    },
  };
}
