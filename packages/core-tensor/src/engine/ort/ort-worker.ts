import { parentPort, workerData } from 'node:worker_threads';
import { OcelliError } from '../../errors.js';
import { OrtDevice } from './device.js';
import { NativeGate } from './native-gate.js';
import type { Envelope, Reply, WorkerSetup } from './protocol.js';

/** The engine's side of the thread boundary: requests are served one after another. */
const port = parentPort!;
const gate = new NativeGate((workerData as WorkerSetup).gate);
const device = new OrtDevice();
let queue: Promise<void> = Promise.resolve();

port.on('message', ({ ticket, request }: Envelope) => {
  // Messages arrive between calls of the runtime, so that none is cut off here.
  if (request.kind === 'close') process.exit();
  queue = queue.then(async () => {
    try {
      const data = await gate.pass(() => device.serve(request));
      if (ticket > 0)
        port.postMessage({ ticket, ...(data && { data }) } satisfies Reply, data ? [data.buffer as ArrayBuffer] : []);
    } catch (error) {
      port.postMessage({ ticket, error: describe(error) } satisfies Reply);
    }
  });
});

function describe(error: unknown): NonNullable<Reply['error']> {
  if (!(error instanceof OcelliError)) return { message: error instanceof Error ? error.message : String(error) };
  const { operation, expected, received, remedy } = error;
  return { operation, expected, received, remedy };
}
