import { parentPort } from 'node:worker_threads';
import { OrtDevice } from './device.js';
import type { Envelope, Reply } from './protocol.js';

/** The engine's side of the thread boundary: requests are served one after another. */
const port = parentPort!;
const device = new OrtDevice();
let queue: Promise<void> = Promise.resolve();

port.on('message', ({ ticket, request }: Envelope) => {
  queue = queue.then(async () => {
    try {
      const data = await device.serve(request);
      if (ticket > 0) port.postMessage({ ticket, ...(data && { data }) } satisfies Reply, data ? [data.buffer as ArrayBuffer] : []);
    } catch (error) {
      port.postMessage({ ticket, error: { message: error instanceof Error ? error.message : String(error) } } satisfies Reply);
    }
  });
});
