import type { Conversation } from '../conversation/conversation.js';
import type { RandomKey } from '../random.js';
import { LoaderError } from './loader-error.js';

/** A source of conversations by index. */
export interface Dataset {
  /** Names the data set in errors and in the state of a loader. */
  readonly name: string;
  readonly size: number;
  /**
   * The sample at 0 … size − 1; always the same one for the same index and key.
   *
   * @param key for data sets that draw something anew each time a sample comes round, such as the order of options
   */
  get(index: number, key: RandomKey): Conversation | Promise<Conversation>;
  /**
   * How long each sample is, as far as is known without tokenizing: positive with images, negative without, never 0.
   * Needed to group samples by length.
   */
  lengths?(): readonly number[];
}

/** Several data sets of which one is drawn for every sample. */
export interface Mixture {
  readonly datasets: readonly Dataset[];
  /** Probability of each data set; they sum to 1. */
  readonly probabilities: readonly number[];
}

/** A data set of conversations that are in memory. */
export function conversationDataset(name: string, conversations: readonly Conversation[]): Dataset {
  return {
    name,
    size: conversations.length,
    get: (index) => conversations[index]!,
    lengths: () => conversations.map(modalityLength),
  };
}

/**
 * The words of all turns but the system's, which are those between white space, image markers included; negative for a
 * conversation without images (haotian-liu/LLaVA `llava/train/train.py`, `modality_lengths`).
 */
export function modalityLength({ images, turns }: Conversation): number {
  const words = turns
    .filter(({ role }) => role !== 'system')
    .reduce((sum, { text }) => sum + text.split(/\s+/).filter((word) => word !== '').length, 0);
  return images.length > 0 ? words : -words;
}

/**
 * Mixes data sets by weight: every sample is drawn anew, first its data set, then one of its samples uniformly and with
 * replacement. There are no epochs, and small data sets repeat more often than large ones (Honeybee, section 4).
 *
 * @param weights one non-negative weight per data set, normalised here; or `uniform`; or `length_ratio`, in proportion
 * to the sizes
 * @throws LoaderError if a data set is empty or the weights do not fit
 */
export function mixDatasets(
  datasets: readonly Dataset[],
  weights: 'uniform' | 'length_ratio' | readonly number[],
): Mixture {
  const fail = (expected: string, received: unknown, remedy: string): never => {
    throw new LoaderError({
      operation: 'mixDatasets',
      expected,
      received: JSON.stringify(received) ?? String(received),
      remedy,
      value: received,
    });
  };
  if (datasets.length === 0) fail('at least one data set', [], 'pass the data sets to mix');
  for (const { name, size } of datasets) {
    if (!Number.isInteger(size) || size < 1) fail(`${name} to hold samples`, size, 'leave the data set out');
  }
  const values =
    weights === 'uniform'
      ? datasets.map(() => 1)
      : weights === 'length_ratio'
        ? datasets.map(({ size }) => size)
        : weights;
  const valid = Array.isArray(values) && values.every((weight) => Number.isFinite(weight) && weight >= 0);
  const total = valid ? values.reduce((sum, weight) => sum + weight, 0) : 0;
  if (!valid || values.length !== datasets.length || !(total > 0)) {
    fail(
      `uniform, length_ratio or ${datasets.length} non-negative weights that are not all zero`,
      weights,
      'give every data set one weight',
    );
  }
  return { datasets, probabilities: values.map((weight) => weight / total) };
}
