import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type Conversation,
  conversationDataset,
  type Dataset,
  type Mixture,
  mixDatasets,
  readConversations,
} from '@ocelli/data';
import type { TrainingConfig, TrainingStage } from './config.js';
import type { Refuse } from './refuse.js';

/** The parts of the data that the stages learn from, by name. */
export interface TrainingData {
  readonly conversations: ReadonlyMap<string, readonly Conversation[]>;
  /** Of each file: SHA-256 of what is in it. */
  readonly hashes: Readonly<Record<string, string>>;
}

/**
 * Reads what the stages learn from.
 *
 * @throws ConversationError that names file and sample where one is malformed or its image is not there.
 */
export async function readTrainingData({ data, stages }: TrainingConfig): Promise<TrainingData> {
  const conversations = new Map<string, readonly Conversation[]>();
  const hashes: Record<string, string> = {};
  for (const { name } of stages.flatMap((stage) => stage.data)) {
    if (conversations.has(name)) continue;
    const { file, imageRoot } = data[name]!;
    conversations.set(name, await readConversations(file, imageRoot === undefined ? {} : { imageRoot }));
    hashes[name] = await hashOfFile(file);
  }
  return { conversations, hashes };
}

/** What a stage learns from, and how many images a batch of it has where that does not vary. */
export interface StageSource {
  readonly source: Dataset | Mixture;
  readonly imagesPerBatch: number | undefined;
}

/**
 * The data of a stage: one part in epochs, or several mixed by weight.
 *
 * @param key of the stage in the configuration.
 * @throws ConfigError if a part has too few samples.
 */
export function stageSource(
  key: string,
  { data, batchSize }: TrainingStage,
  { conversations }: TrainingData,
  refuse: Refuse,
): StageSource {
  const parts = data.map(({ name }) => conversationDataset(name, conversations.get(name)!));
  for (const { name, size } of parts) {
    const needed = parts.length === 1 ? batchSize : 1;
    if (size >= needed) continue;
    const received = `${batchSize}, with ${size} in ${name}`;
    throw refuse(`${key}.batchSize`, {
      expected: 'no more than there are samples',
      received,
      remedy: 'Lower it, or add samples.',
    });
  }
  const images = data.flatMap(({ name }) => conversations.get(name)!.map((each) => each.images.length));
  const most = images.reduce((a, b) => Math.max(a, b), 0);
  return {
    source:
      parts.length === 1
        ? parts[0]!
        : mixDatasets(
            parts,
            data.map(({ weight }) => weight),
          ),
    // Samples without an image get a blank one, so that all batches run the same program.
    imagesPerBatch: most === 1 ? batchSize : undefined,
  };
}

async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
