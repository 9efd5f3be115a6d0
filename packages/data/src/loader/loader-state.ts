import { z } from 'zod';
import { firstIssue } from '../data-error.js';
import { LoaderError } from './loader-error.js';
import type { ResolvedLoaderOptions } from './loader-options.js';
import type { Sampler } from './sampler.js';

const stateSchema = z.strictObject({
  version: z.literal(1),
  /** Epoch of the next batch, from 0; 0 for a mixture. */
  epoch: z.int().nonnegative(),
  /** Batches of that epoch that were handed out. */
  position: z.int().nonnegative(),
  seed: z.int().nonnegative(),
  /** What the order of samples depends on. */
  order: z.strictObject({
    batchSize: z.int().positive(),
    shuffle: z.boolean(),
    dropLast: z.boolean(),
    shards: z.int().positive(),
    /** Micro-batches of a step, where samples are grouped by length. */
    batchesPerStep: z.int().positive().optional(),
    datasets: z.array(z.strictObject({ name: z.string(), size: z.int().nonnegative() })),
  }),
});

/** Where a loader is in its data, and what must be the same to go on from there. Plain data. */
export type LoaderState = Readonly<z.infer<typeof stateSchema>>;

/** @param delivered batches handed out since the very beginning */
export function loaderState(delivered: number, sampler: Sampler, options: ResolvedLoaderOptions): LoaderState {
  const { batchesPerEpoch } = sampler;
  return {
    version: 1,
    epoch: batchesPerEpoch === undefined ? 0 : Math.floor(delivered / batchesPerEpoch),
    position: batchesPerEpoch === undefined ? delivered : delivered % batchesPerEpoch,
    seed: options.seed,
    order: {
      batchSize: options.batchSize,
      shuffle: options.shuffle,
      dropLast: options.dropLast,
      shards: options.shard.count,
      ...(sampler.batchesPerStep === undefined ? {} : { batchesPerStep: sampler.batchesPerStep }),
      datasets: sampler.datasets.map(({ name, size }) => ({ name, size })),
    },
  };
}

/**
 * The batches handed out since the very beginning, by a state.
 *
 * @throws LoaderError if the state is malformed, or belongs to another seed, other data or other options
 */
export function checkLoaderState(state: LoaderState, sampler: Sampler, options: ResolvedLoaderOptions): number {
  const parsed = stateSchema.safeParse(state);
  const fail = (expected: string, received: string): never => {
    throw new LoaderError({
      operation: 'Loader.resume',
      expected,
      received,
      remedy: 'create the loader with the data and options that the state was saved with',
      value: state,
    });
  };
  if (!parsed.success) return fail('a state that Loader.state returned', firstIssue(parsed.error));
  const { epoch, position, seed, order } = parsed.data;
  const own = loaderState(0, sampler, options);
  const saved = JSON.stringify({ seed, ...order });
  const present = JSON.stringify({ seed: own.seed, ...own.order });
  if (saved !== present) fail(`a state saved with ${present}`, saved);
  const { batchesPerEpoch } = sampler;
  if (batchesPerEpoch === undefined) return position;
  if (position >= batchesPerEpoch) fail(`a position below ${batchesPerEpoch}`, String(position));
  return epoch * batchesPerEpoch + position;
}
