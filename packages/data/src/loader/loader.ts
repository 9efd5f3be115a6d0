import { setMaxListeners } from 'node:events';
import type { Batch } from '../collate/batch.js';
import { checkBuckets } from '../collate/buckets.js';
import { createBreather } from './breather.js';
import { buildBatch } from './build-batch.js';
import type { Dataset, Mixture } from './dataset.js';
import { createImageReader } from './image-reader.js';
import { LoaderError } from './loader-error.js';
import { type LoaderOptions, resolveLoaderOptions } from './loader-options.js';
import { checkLoaderState, type LoaderState, loaderState } from './loader-state.js';
import { epochSampler, mixtureSampler } from './sampler.js';

/** An endless or finite stream of batches. */
export interface Loader extends AsyncIterable<Batch> {
  /** Undefined for a mixture, which has no epochs. */
  readonly batchesPerEpoch: number | undefined;
  /** Batches from the very beginning to the end; infinite without `epochs`. */
  readonly totalBatches: number;
  /** Where the stream is: after the last batch that was handed out. JSON-serialisable. */
  state(): LoaderState;
  /**
   * Goes on from a state, of this loader or of one made with the same data and options: the same batches follow.
   * @throws LoaderError if the state belongs to other data or options, or while the loader is being iterated
   */
  resume(state: LoaderState): void;
  /** Ends the worker threads, and an iteration in progress. The loader cannot be used afterwards. */
  close(): Promise<void>;
}

/**
 * Makes batches of a data set or a mixture: chooses samples, renders and tokenizes them, reads and preprocesses their
 * images in worker threads, collates. A bounded number of batches is made ahead. The order depends on the seed alone,
 * never on timing.
 *
 * Every iteration goes on where the last one stopped; breaking out of a loop loses no batch. After the last batch, and
 * after an error, the loader closes itself. Idle worker threads do not keep the process alive.
 *
 * Iterating throws LoaderError (an image that cannot be read, with its file and sample), ConversationError or
 * CollationError (a sample that cannot be rendered or has nothing to train), or the reason of an aborted signal. A bad
 * sample stops the stream exactly where its batch would be.
 *
 * @throws LoaderError if an option is missing, unknown or invalid, or the data set is too small
 */
export function createLoader(source: Dataset | Mixture, options: LoaderOptions): Loader {
  const resolved = resolveLoaderOptions(options);
  checkBuckets(resolved.buckets);
  const isMixture = 'datasets' in source;
  if (isMixture && resolved.epochs !== undefined) {
    throw new LoaderError({
      operation: 'createLoader',
      expected: 'no epochs for a mixture, whose samples are drawn with replacement',
      received: String(resolved.epochs),
      remedy: 'leave epochs out and stop after as many batches as you need',
      value: resolved.epochs,
    });
  }
  if (isMixture && resolved.groupByLength !== false) {
    throw new LoaderError({
      operation: 'createLoader',
      expected: 'no groupByLength for a mixture, whose samples are drawn one by one',
      received: JSON.stringify(resolved.groupByLength),
      remedy: 'join the data sets to one',
      value: resolved.groupByLength,
    });
  }
  const sampler = isMixture ? mixtureSampler(source, resolved) : epochSampler(source, resolved);
  const totalBatches = (sampler.batchesPerEpoch ?? 1) * (resolved.epochs ?? Number.POSITIVE_INFINITY);
  const reader = createImageReader({
    processor: resolved.imageProcessor,
    grid: resolved.grid,
    workers: resolved.workers,
    cacheBytes: resolved.cacheBytes,
    timeout: resolved.imageTimeout,
  });

  const breathe = createBreather();
  let delivered = 0;
  let closed = false;
  let running: AbortController | undefined;

  const close = async (): Promise<void> => {
    closed = true;
    options.signal?.removeEventListener('abort', onAbort);
    running?.abort(new LoaderClosed());
    await reader.close();
  };
  const onAbort = (): void => {
    running?.abort(options.signal!.reason);
    void close();
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });

  async function* iterate(): AsyncGenerator<Batch, void, undefined> {
    options.signal?.throwIfAborted();
    if (closed || running !== undefined) throw unavailable(closed ? 'closed' : 'being iterated already');
    const controller = new AbortController();
    const { signal } = controller;
    // One listener for every image that is waited for.
    setMaxListeners(0, signal);
    running = controller;
    const readImage = reader.session(signal);
    const ahead: Promise<Batch>[] = [];
    let next = delivered;
    let ended = true;
    try {
      while (delivered < totalBatches) {
        while (ahead.length <= resolved.prefetch && next < totalBatches) {
          const batch = buildBatch(sampler.batch(next++), resolved, readImage, signal, breathe);
          // Awaited in its turn; until then a failure must not count as unhandled.
          batch.catch(() => undefined);
          ahead.push(batch);
        }
        const batch = await unlessAborted(ahead.shift()!, signal);
        delivered++;
        ended = false;
        yield batch;
        ended = true;
        if (signal.aborted) throw signal.reason;
      }
    } catch (error) {
      if (error instanceof LoaderClosed) return;
      throw error;
    } finally {
      running = undefined;
      controller.abort(new LoaderClosed());
      if (ended) await close();
    }
  }

  return {
    batchesPerEpoch: sampler.batchesPerEpoch,
    totalBatches,
    state: () => loaderState(delivered, sampler, resolved),
    resume(state) {
      if (closed || running !== undefined) throw unavailable(closed ? 'closed' : 'being iterated');
      delivered = checkLoaderState(state, sampler, resolved);
    },
    close,
    [Symbol.asyncIterator]: iterate,
  };
}

/** Reason of the internal abort signal when a loader is closed or its consumer leaves: no failure. */
class LoaderClosed extends Error {}

function unavailable(state: string): LoaderError {
  return new LoaderError({
    operation: 'Loader',
    expected: 'an open loader that nobody else iterates',
    received: `one that is ${state}`,
    remedy: 'create another loader',
  });
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
