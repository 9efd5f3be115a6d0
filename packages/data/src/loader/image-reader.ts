import type { ImageGrid } from '../grids/image-grid.js';
import type { ImageProcessor } from '../image/image-processor.js';
import type { TilePixels } from '../image/tiles.js';
import type { DecodeJob } from './decode-worker.js';
import { createPixelCache } from './pixel-cache.js';
import { startDecodeWorker } from './start-decode-worker.js';
import { createWorkerPool, type WorkerPool } from './worker-pool.js';

/** What is made of an image: one input as the processor says, one of the image padded to a square, or tiles. */
export type ImageForm = 'plain' | 'square' | 'tiles';

/** Reads an image, or for `null` makes a black one; without a form it is `plain`. */
export type ReadImage = (path: string | null, form?: ImageForm) => Promise<TilePixels>;

/** Reads and preprocesses images off the main thread. */
export interface ImageReader {
  /**
   * A function that reads images until the signal is aborted. An image that is asked for twice at once is read once.
   * The arrays it returns are shared: they must not be written to.
   */
  session(signal: AbortSignal): ReadImage;
  close(): Promise<void>;
  readonly pool: WorkerPool<DecodeJob, TilePixels>;
}

export interface ImageReaderOptions {
  readonly processor: ImageProcessor;
  /** Needed for tiles. */
  readonly grid?: ImageGrid | undefined;
  readonly workers: number;
  readonly cacheBytes: number;
  readonly timeout: number;
}

export function createImageReader({ processor, grid, workers, cacheBytes, timeout }: ImageReaderOptions): ImageReader {
  const pool = createWorkerPool<DecodeJob, TilePixels>({ size: workers, start: startDecodeWorker, timeout });
  const cache = createPixelCache<TilePixels>(cacheBytes);
  const jobOf = (path: string | null, form: ImageForm): DecodeJob => {
    if (form === 'square') return { path, processor: { ...processor, padToSquare: true } };
    return { path, processor, ...(form === 'tiles' && grid !== undefined ? { grid } : {}) };
  };

  return {
    pool,
    close: () => pool.close(),
    session(signal) {
      const running = new Map<string, Promise<TilePixels>>();
      const read = async (key: string, job: DecodeJob): Promise<TilePixels> => {
        try {
          const pixels = await pool.run(job, signal);
          cache.set(key, pixels);
          return pixels;
        } finally {
          running.delete(key);
        }
      };
      return (path, form = 'plain') => {
        const key = path === null ? form : `${form}:${path}`;
        const cached = cache.get(key);
        if (cached !== undefined) return Promise.resolve(cached);
        let promise = running.get(key);
        if (promise === undefined) {
          promise = read(key, jobOf(path, form));
          running.set(key, promise);
        }
        return promise;
      };
    },
  };
}
