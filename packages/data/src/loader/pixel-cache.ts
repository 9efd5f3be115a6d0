import type { PixelValues } from '../image/preprocess.js';

/** Preprocessed images by path and form, as many as fit. */
export interface PixelCache<Pixels extends PixelValues> {
  get(key: string): Pixels | undefined;
  set(key: string, pixels: Pixels): void;
  /** Bytes held. */
  readonly bytes: number;
}

/** A cache that forgets what was not used for the longest time once it holds more than `maximumBytes`. */
export function createPixelCache<Pixels extends PixelValues = PixelValues>(maximumBytes: number): PixelCache<Pixels> {
  // A Map iterates in the order of insertion: what is used is inserted again, so the first entry is the oldest.
  const entries = new Map<string, Pixels>();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    get(key) {
      const pixels = entries.get(key);
      if (pixels !== undefined) {
        entries.delete(key);
        entries.set(key, pixels);
      }
      return pixels;
    },
    set(key, pixels) {
      if (pixels.data.byteLength > maximumBytes) return;
      const previous = entries.get(key);
      if (previous !== undefined) {
        bytes -= previous.data.byteLength;
        entries.delete(key);
      }
      entries.set(key, pixels);
      bytes += pixels.data.byteLength;
      for (const [oldest, { data }] of entries) {
        if (bytes <= maximumBytes) break;
        entries.delete(oldest);
        bytes -= data.byteLength;
      }
    },
  };
}
