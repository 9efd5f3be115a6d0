import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type Conversation,
  conversationDataset,
  type Dataset,
  joinDatasets,
  type Mixture,
  mixDatasets,
  readConversations,
  selectSamples,
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
 * The data of a stage: one part or several joined ones in epochs, or several mixed by weight.
 *
 * @param key of the stage in the configuration.
 * @param options.seed of what is drawn once, the random part of a data set's samples. Default: 0
 * @throws ConfigError if a part has too few samples.
 */
export function stageSource(
  key: string,
  { data, batchSize, mixing }: TrainingStage,
  { conversations }: TrainingData,
  refuse: Refuse,
  { seed = 0 }: { readonly seed?: number } = {},
): StageSource {
  const parts = data.map(({ name, sampling }) =>
    selectSamples(conversationDataset(name, conversations.get(name)!), sampling, { seed }),
  );
  const isMixture = parts.length > 1 && mixing === 'weights';
  const epoch = isMixture ? undefined : parts.length === 1 ? parts[0]! : joinDatasets(namesOf(parts), parts);
  for (const { name, size } of epoch === undefined ? parts : [epoch]) {
    if (size >= (isMixture ? 1 : batchSize)) continue;
    throw refuse(`${key}.batchSize`, {
      expected: 'no more than there are samples',
      received: `${batchSize}, with ${size} in ${name}`,
      remedy: 'Lower it, or add samples.',
    });
  }
  const images = data.flatMap(({ name }) => conversations.get(name)!.map((each) => each.images.length));
  const most = images.reduce((a, b) => Math.max(a, b), 0);
  return {
    source:
      epoch ??
      mixDatasets(
        parts,
        data.map(({ weight = 1 }) => weight),
      ),
    // Samples without an image get a blank one, so that all batches run the same program.
    imagesPerBatch: most === 1 ? batchSize : undefined,
  };
}

function namesOf(parts: readonly Dataset[]): string {
  return parts.map(({ name }) => name).join(' + ');
}

async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
