import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Starts the worker that reads images. In the built package it is `decode-worker.js` beside the entry point, an ES
 * module for both kinds of import; among the sources it is TypeScript and needs tsx.
 */
export function startDecodeWorker(): Worker {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new Worker(new URL('./decode-worker.js', here), { execArgv: [] });
  const tsx = pathToFileURL(createRequire(here).resolve('tsx')).href;
  return new Worker(new URL('./decode-worker.ts', here), { execArgv: ['--import', tsx] });
}
