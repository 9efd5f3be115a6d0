import { type Batch, type Conversation, conversationDataset, squashImageProcessor, type Tokenizer } from '@ocelli/data';
import type { ResumableBatches } from '@ocelli/trainer';
import type { Scale } from '../recipe/schema.js';
import { trainingBatches as loadBatches } from '../train/batches.js';

/** Lengths are padded to multiples of this: each is a program to compile. */
const buckets = 16;

/** Longest sequence, images included. */
export const maximumLength = 1024;

export interface BatchOptions {
  readonly scale: Scale;
  readonly tokenizer: Tokenizer;
  readonly batchSize: number;
  readonly visualTokens: number;
  readonly seed: number;
  /** Where to go on. */
  readonly state: unknown;
}

/** Endless shuffled batches of conversations about the pictures of a scale. */
export function trainingBatches<Inputs>(
  name: string,
  conversations: readonly Conversation[],
  { scale, visualTokens, ...options }: BatchOptions,
  toInputs: (batch: Batch) => Inputs,
): ResumableBatches<Inputs> {
  const { template, world } = scale;
  const imageProcessor = squashImageProcessor(world.imageSize);
  return loadBatches(
    conversationDataset(name, conversations),
    { ...options, template, imageProcessor, visualTokensPerImage: visualTokens, maximumLength, buckets },
    toInputs,
  );
}
