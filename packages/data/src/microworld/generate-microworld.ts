import { copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fold, type RandomKey, randomKey } from '../random.js';
import {
  type DatasetWriter,
  type MicroworldManifest,
  publishDataset,
  type TypeStatistics,
} from './dataset-directory.js';
import { groundTruth } from './ground-truth.js';
import {
  MICROWORLD_SPLITS,
  MICROWORLD_VERSION,
  type MicroworldOptions,
  type MicroworldOptionsInput,
  type MicroworldSplit,
  microworldHash,
  microworldOptions,
} from './microworld-options.js';
import { MME_CATEGORIES, mmeFile, mmePairs } from './mme-pairs.js';
import { POPE_CATEGORIES, popeRows } from './pope-rows.js';
import { type QuestionedScene, questionScenes } from './question-scenes.js';
import { captionRecord, conversationRecord, imageName, imagePath, recordId } from './records.js';
import { refcocoRows } from './refcoco-rows.js';
import { rasterise, renderSceneSvg } from './render-scene.js';
import type { Scene } from './scene.js';

/** Pictures written so far. */
export interface MicroworldProgress {
  readonly split: MicroworldSplit;
  readonly done: number;
  /** Pictures of all splits. */
  readonly total: number;
}

/** How the generation runs; none of it changes the dataset. */
export interface MicroworldRunOptions {
  /** Pictures drawn at the same time. */
  readonly workers?: number;
  /** Called after every picture. */
  readonly onProgress?: (progress: MicroworldProgress) => void;
  /** Stops the generation; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** Result of {@link generateMicroworld}. */
export interface GeneratedMicroworld {
  readonly directory: string;
  readonly manifest: MicroworldManifest;
  /** Whether the same dataset was there already, so that nothing was written. */
  readonly reused: boolean;
}

/**
 * Writes a dataset of procedural scenes with exact questions and answers:
 *
 * - `images/SPLIT/000001.png`: the pictures;
 * - `SPLIT.json`: conversations in LLaVA's format, with a `question_types` entry a question;
 * - `pretrain.json`: captions of the training pictures in the form of LLaVA's pre-training data;
 * - `truth/SPLIT.json`: scene and ground truth of every picture;
 * - `benchmarks/pope/pope_CATEGORY.jsonl`, `benchmarks/mme/CATEGORY/000001.txt` beside its picture and
 *   `benchmarks/refcoco/test.jsonl`: the test pictures in those benchmarks' own forms, as far as the question types cover them;
 * - `microworld.json`: options, hash and statistics.
 *
 * The same options give the same files; the pictures' bytes depend on the version of sharp too. The directory appears
 * complete or not at all, and is reused if it holds the same dataset already.
 *
 * @throws MicroworldError if an option is invalid or the directory holds something else
 */
export async function generateMicroworld(
  directory: string,
  { workers = availableParallelism(), onProgress, signal, ...input }: MicroworldOptionsInput & MicroworldRunOptions,
): Promise<GeneratedMicroworld> {
  const options = microworldOptions(input);
  const hash = microworldHash(options);
  const root = randomKey(options.seed);
  const total = MICROWORLD_SPLITS.reduce((sum, split) => sum + options.scenes[split], 0);

  const { manifest, reused } = await publishDataset(directory, hash, async (writer) => {
    let done = 0;
    const statistics = {} as Record<MicroworldSplit, Record<string, TypeStatistics>>;
    for (const split of MICROWORLD_SPLITS) {
      signal?.throwIfAborted();
      const key = fold(root, split);
      const entries = questionScenes(key, { ...options, count: options.scenes[split] });
      statistics[split] = summarise(entries);
      await mkdir(join(writer.root, 'images', split), { recursive: true });
      await eachConcurrently(entries, Math.max(1, Math.floor(workers)), async ({ scene }, index) => {
        signal?.throwIfAborted();
        const png = await rasterise(renderSceneSvg(scene, options.imageSize), options.imageSize);
        await writeFile(join(writer.root, imagePath(split, index)), png);
        done++;
        onProgress?.({ split, done, total });
      });
      await writeSplit(writer, entries, split, options);
      if (split === 'test' && entries.length > 0) {
        await writeBenchmarks(
          writer,
          entries.map(({ scene }) => scene),
          key,
          options,
        );
      }
    }
    return { format: 'ocelli-microworld', version: MICROWORLD_VERSION, hash, options, statistics, files: writer.files };
  });
  return { directory, manifest, reused };
}

async function writeSplit(
  writer: DatasetWriter,
  entries: readonly QuestionedScene[],
  split: MicroworldSplit,
  options: MicroworldOptions,
): Promise<void> {
  await writer.write(
    `${split}.json`,
    jsonRows(entries.map((entry, index) => conversationRecord(entry, split, index, options))),
  );
  await writer.write(
    `truth/${split}.json`,
    jsonRows(
      entries.map(({ scene }, index) => ({
        id: recordId(split, index),
        image: imagePath(split, index),
        scene,
        truth: groundTruth(scene, options.imageSize),
      })),
    ),
  );
  if (split === 'train') {
    await writer.write('pretrain.json', jsonRows(entries.map((entry, index) => captionRecord(entry, split, index))));
  }
}

async function writeBenchmarks(
  writer: DatasetWriter,
  scenes: readonly Scene[],
  key: RandomKey,
  { questionTypes, scene: sceneOptions, imageSize }: MicroworldOptions,
): Promise<void> {
  if (questionTypes.includes('existence')) {
    for (const category of POPE_CATEGORIES) {
      await writer.write(
        `benchmarks/pope/pope_${category}.jsonl`,
        jsonLines(popeRows(scenes, category, key, sceneOptions)),
      );
    }
  }
  if (questionTypes.includes('box')) {
    await writer.write('benchmarks/refcoco/test.jsonl', jsonLines(refcocoRows(scenes, key, imageSize)));
  }
  for (const [category, { type }] of Object.entries(MME_CATEGORIES)) {
    if (!questionTypes.includes(type)) continue;
    const folder = join(writer.root, 'benchmarks/mme', category);
    await mkdir(folder, { recursive: true });
    for (const pair of mmePairs(scenes, category, key, sceneOptions)) {
      const image = join(folder, imageName(pair.index));
      await writeFile(image.replace(/png$/, 'txt'), mmeFile(pair));
      await linkOrCopy(join(writer.root, imagePath('test', pair.index)), image);
    }
  }
}

/** MME keeps pictures beside their questions; a second name costs no space where the file system has hard links. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  await link(source, target).catch(() => copyFile(source, target));
}

function summarise(entries: readonly QuestionedScene[]): Record<string, TypeStatistics> {
  const answers = new Map<string, Map<string, number>>();
  for (const { type, answer } of entries.flatMap(({ questions }) => questions)) {
    const counts = answers.get(type) ?? new Map<string, number>();
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
    answers.set(type, counts);
  }
  return Object.fromEntries(
    [...answers].map(([type, counts]) => {
      const frequencies = [...counts.values()];
      const questions = frequencies.reduce((sum, count) => sum + count, 0);
      return [type, { questions, answers: counts.size, constantAccuracy: Math.max(...frequencies) / questions }];
    }),
  );
}

/** A JSON array with one element a line. */
function jsonRows(rows: readonly unknown[]): string {
  return rows.length === 0 ? '[]\n' : `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`;
}

function jsonLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Runs a task for every item, at most `limit` at a time. After a failure no further task starts. */
async function eachConcurrently<T>(
  items: readonly T[],
  limit: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        await task(items[index]!, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
