import type { ExampleValues } from './fill-pattern.js';

/** One question about an image, or about nothing but text. */
export interface TaskExample {
  readonly values: ExampleValues;
  /** Options of a question, listed when a conversation is made. */
  readonly options?: { readonly choices: readonly string[]; readonly answer: number };
}

/** An example and the path of its image; null for text alone. */
export type ImageExample = readonly [image: string | null, example: TaskExample];

/** Which of several examples with the same value count as one. */
export interface Deduplication {
  /** The value that is compared, exactly. */
  readonly key: string;
  /** Values whose examples are all kept, or `all`. */
  readonly whitelist?: readonly string[] | 'all' | null | undefined;
  /** Whether one of the examples is drawn for every conversation (default), or the first is kept. */
  readonly online?: boolean | undefined;
}

/** What one conversation is about: examples, of which some are to be drawn from several. */
export interface ExampleGroup {
  readonly image: string | null;
  readonly examples: readonly (TaskExample | readonly TaskExample[])[];
}

/** Whether an entry of a group is several examples, of which one is to be drawn. */
export function isSeveral(entry: TaskExample | readonly TaskExample[]): entry is readonly TaskExample[] {
  return Array.isArray(entry);
}

/**
 * Groups examples by image, in order of first appearance, and cuts the groups into conversations.
 *
 * @param turns questions of a conversation at most; −1 for all. Only with more than one are examples de-duplicated.
 */
export function groupExamples(
  examples: readonly ImageExample[],
  { turns = 1, deduplicate }: { readonly turns?: number; readonly deduplicate?: Deduplication | undefined } = {},
): ExampleGroup[] {
  const clusters = new Map<string | null, TaskExample[]>();
  for (const [image, example] of examples) {
    const cluster = clusters.get(image);
    if (cluster === undefined) clusters.set(image, [example]);
    else cluster.push(example);
  }
  return [...clusters].flatMap(([image, cluster]) => {
    const distinct = turns > 1 && deduplicate !== undefined ? deduplicated(cluster, deduplicate) : cluster;
    const step = turns > 0 ? turns : distinct.length;
    return Array.from({ length: Math.ceil(distinct.length / step) }, (_, index) => ({
      image,
      examples: distinct.slice(index * step, (index + 1) * step),
    }));
  });
}

/** Examples with the same value become one entry, at the place of the first. */
export function deduplicated(
  cluster: readonly TaskExample[],
  { key, whitelist, online = true }: Deduplication,
): (TaskExample | readonly TaskExample[])[] {
  if (cluster.length === 1 || whitelist === 'all') return [...cluster];
  const groups = new Map<string, TaskExample[]>();
  for (const example of cluster) {
    const value = example.values[key] ?? '';
    groups.set(value, [...(groups.get(value) ?? []), example]);
  }
  return [...groups].flatMap(([value, examples]): (TaskExample | readonly TaskExample[])[] => {
    if (examples.length === 1 || whitelist?.includes(value)) return examples;
    return online ? [examples] : [examples[0]!];
  });
}
