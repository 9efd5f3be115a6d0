import { parentPort } from 'node:worker_threads';
import { decodeImage } from '../image/decode.js';
import type { ImageProcessor } from '../image/image-processor.js';
import { type PixelValues, preprocessImage } from '../image/preprocess.js';
import type { WorkerReply } from './worker-pool.js';

/** One image to read. */
export interface DecodeJob {
  readonly path: string;
  readonly processor: ImageProcessor;
}

/** Entry point of a worker thread: reads the image of each message and hands its pixels over without a copy. */
parentPort?.on('message', async ({ id, job }: { readonly id: number; readonly job: DecodeJob }) => {
  try {
    const result = preprocessImage(await decodeImage(job.path), job.processor);
    const reply: WorkerReply<PixelValues> = { id, result };
    parentPort!.postMessage(reply, [result.data.buffer as ArrayBuffer]);
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const reply: WorkerReply<PixelValues> = { id, error: { name, message } };
    parentPort!.postMessage(reply);
  }
});
