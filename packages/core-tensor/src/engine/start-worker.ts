import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Starts a worker thread from a module of this package: `directory/name.ts` when running from sources (through tsx,
 * a development dependency), else the built `name.js` or `name.cjs` beside the running file.
 *
 * @param workerData what the worker finds under this name in `node:worker_threads`.
 */
export function startWorker(directory: string, name: string, workerData: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    const extension = import.meta.url.endsWith('.cjs') ? 'cjs' : 'js';
    return new Worker(new URL(`./${name}.${extension}`, import.meta.url), { workerData });
  }
  const tsx = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const source = fileURLToPath(new URL(`${directory}/${name}.ts`, import.meta.url));
  return new Worker(`require(${JSON.stringify(tsx)}).register(); require(${JSON.stringify(source)});`, {
    eval: true,
    workerData,
  });
}
