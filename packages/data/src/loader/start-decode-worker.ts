import { Worker } from 'node:worker_threads';

/**
 * Starts the worker that reads images. In the built package it is `decode-worker.js` beside the entry point, an ES
 * module whichever way the package was loaded; among the sources it is TypeScript, which tsx has to load.
 */
export function startDecodeWorker(): Worker {
  const here = import.meta.url;
  // The process's own arguments, such as --input-type, may not suit a worker.
  if (!here.endsWith('.ts')) return new Worker(new URL('./decode-worker.js', here), { execArgv: [] });
  // Node 20 does not apply loaders given by --import to the entry point of a worker.
  const entry = new URL('./decode-worker.ts', here).href;
  const code = `require('node:module').register('tsx/esm', ${JSON.stringify(here)}, { data: {} }); import(${JSON.stringify(entry)});`;
  return new Worker(code, { eval: true, execArgv: [] });
}
