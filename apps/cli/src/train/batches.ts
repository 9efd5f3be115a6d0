import { type Batch, createLoader, type Dataset, type LoaderOptions, type Mixture } from '@ocelli/data';
import { mapBatches, type ResumableBatches } from '@ocelli/trainer';

export interface TrainingBatchesOptions extends LoaderOptions {
  /** Where to go on; undefined for the beginning. */
  readonly state: unknown;
}

/** Endless shuffled batches of conversations for training. */
export function trainingBatches<Inputs>(
  source: Dataset | Mixture,
  { state, ...options }: TrainingBatchesOptions,
  toInputs: (batch: Batch) => Inputs,
): ResumableBatches<Inputs> {
  const loader = createLoader(source, options);
  if (state !== undefined) loader.resume(state as Parameters<typeof loader.resume>[0]);
  return mapBatches(loader, (batch) => ({
    inputs: toInputs(batch),
    samples: batch.shape.batch,
    tokens: batch.lengths.reduce((sum, length) => sum + length, 0),
    sampleIds: batch.sampleIds,
  }));
}
