import type { ImageProcessor } from '../image/image-processor.js';
import type { PixelValues } from '../image/preprocess.js';
import type { DecodeJob } from './decode-worker.js';
import { createPixelCache } from './pixel-cache.js';
import { startDecodeWorker } from './start-decode-worker.js';
import { createWorkerPool, type WorkerPool } from './worker-pool.js';

/** Reads and preprocesses images off the main thread. */
export interface ImageReader {
  /**
   * A function that reads images until the signal is aborted. An image that is asked for twice at once is read once.
   * The arrays it returns are shared: they must not be written to.
   */
  session(signal: AbortSignal): (path: string) => Promise<PixelValues>;
  close(): Promise<void>;
  readonly pool: WorkerPool<DecodeJob, PixelValues>;
}

export interface ImageReaderOptions {
  readonly processor: ImageProcessor;
  readonly workers: number;
  readonly cacheBytes: number;
  readonly timeout: number;
}

export function createImageReader({ processor, workers, cacheBytes, timeout }: ImageReaderOptions): ImageReader {
  const pool = createWorkerPool<DecodeJob, PixelValues>({ size: workers, start: startDecodeWorker, timeout });
  const cache = createPixelCache(cacheBytes);

  return {
    pool,
    close: () => pool.close(),
    session(signal) {
      const running = new Map<string, Promise<PixelValues>>();
      const read = async (path: string): Promise<PixelValues> => {
        try {
          const pixels = await pool.run({ path, processor }, signal);
          cache.set(path, pixels);
          return pixels;
        } finally {
          running.delete(path);
        }
      };
      return (path) => {
        const cached = cache.get(path);
        if (cached !== undefined) return Promise.resolve(cached);
        let promise = running.get(path);
        if (promise === undefined) {
          promise = read(path);
          running.set(path, promise);
        }
        return promise;
      };
    },
  };
}
