import { parentPort } from 'node:worker_threads';
import type { ImageGrid } from '../grids/image-grid.js';
import { decodeImage } from '../image/decode.js';
import type { ImageProcessor } from '../image/image-processor.js';
import { solidImage } from '../image/rgb-image.js';
import { preprocessTiles, preprocessWhole, type TilePixels } from '../image/tiles.js';
import type { WorkerReply } from './worker-pool.js';

/** One image to read. */
export interface DecodeJob {
  /** `null` for a black image of 224 × 224 pixels. */
  readonly path: string | null;
  readonly processor: ImageProcessor;
  /** Cuts the image into tiles. */
  readonly grid?: ImageGrid;
}

/** Entry point of a worker thread: reads the image of each message and hands its pixels over without a copy. */
parentPort?.on('message', async ({ id, job }: { readonly id: number; readonly job: DecodeJob }) => {
  try {
    const { path, processor, grid } = job;
    const image = path === null ? solidImage({ width: 224, height: 224 }, [0, 0, 0]) : await decodeImage(path);
    const result = grid === undefined ? preprocessWhole(image, processor) : preprocessTiles(image, grid, processor);
    const reply: WorkerReply<TilePixels> = { id, result };
    parentPort!.postMessage(reply, [result.data.buffer as ArrayBuffer]);
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const reply: WorkerReply<TilePixels> = { id, error: { name, message } };
    parentPort!.postMessage(reply);
  }
});
