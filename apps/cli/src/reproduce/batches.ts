import { type Batch, type Conversation, conversationDataset, createLoader, squashImageProcessor, type Tokenizer } from '@ocelli/data';
import { mapBatches, type ResumableBatches } from '@ocelli/trainer';
import type { Scale } from '../recipe/schema.js';

/** Lengths are padded to multiples of this: each is a program to compile. */
const bucket = 16;

export interface BatchOptions {
  readonly scale: Scale;
  readonly tokenizer: Tokenizer;
  readonly batchSize: number;
  readonly visualTokens: number;
  readonly seed: number;
  /** Where to go on. */
  readonly state: unknown;
}

/** Endless shuffled batches of conversations for training. */
export function trainingBatches<Inputs>(
  name: string,
  conversations: readonly Conversation[],
  { scale, tokenizer, batchSize, visualTokens, seed, state }: BatchOptions,
  toInputs: (batch: Batch) => Inputs,
): ResumableBatches<Inputs> {
  const loader = createLoader(conversationDataset(name, conversations), {
    tokenizer,
    template: scale.template,
    imageProcessor: squashImageProcessor(scale.world.imageSize),
    batchSize,
    visualTokensPerImage: visualTokens,
    maximumLength: 1024,
    buckets: bucket,
    seed,
  });
  if (state !== undefined) loader.resume(state as Parameters<typeof loader.resume>[0]);
  return mapBatches(loader, (batch) => ({
    inputs: toInputs(batch),
    samples: batch.shape.batch,
    tokens: batch.lengths.reduce((sum, length) => sum + length, 0),
    sampleIds: batch.sampleIds,
  }));
}
