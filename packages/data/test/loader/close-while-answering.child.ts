import { Worker } from 'node:worker_threads';
import { createWorkerPool } from '../../src/loader/worker-pool.js';

/** Closes a pool while its worker's answer is on its way and the worker takes long to end. */
const script = `
const { pbkdf2 } = require('node:crypto');
const { parentPort, workerData: answered } = require('node:worker_threads');
parentPort.on('message', ({ id }) => {
  // A thread ends when the work it has given to others is done.
  pbkdf2('a password', 'salt', 1_000_000, 64, 'sha512', () => undefined);
  parentPort.postMessage({ id, result: id });
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
});`;

const answered = new Int32Array(new SharedArrayBuffer(4));
const pool = createWorkerPool<undefined, number>({
  size: 1,
  timeout: 60_000,
  start: () => new Worker(script, { eval: true, workerData: answered }),
});
const job = pool.run(undefined, new AbortController().signal);
job.catch(() => undefined);
const [worker] = pool.workers;
// Blocks, so that the answer is not taken in before the pool is closed.
Atomics.wait(answered, 0, 0);
const first = pool.close();
await pool.close();
console.log(`closed with ${worker!.threadId === -1 ? 'no' : 'a'} thread`);
await first;
await job.catch((error: Error) => console.log(error.message));
