import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_NAME, type MicroworldManifest } from './dataset-directory.js';
import type { GroundTruth } from './ground-truth.js';
import { MicroworldError } from './microworld-error.js';
import { MICROWORLD_VERSION, type MicroworldSplit } from './microworld-options.js';
import type { QuestionType } from './question.js';
import type { ConversationRecord } from './records.js';
import type { Scene } from './scene.js';

/** A picture of a generated microworld with everything known about it. */
export interface MicroworldSample {
  readonly id: string;
  /** Path of the picture. */
  readonly image: string;
  /** Questions in the order of the conversation, without the image marker. */
  readonly questions: readonly { readonly type: QuestionType; readonly text: string; readonly answer: string }[];
  readonly scene: Scene;
  readonly truth: GroundTruth;
}

/**
 * Reads `microworld.json` of a directory that {@link generateMicroworld} wrote.
 *
 * @throws MicroworldError if the directory holds no microworld of this version
 */
export async function readMicroworldManifest(directory: string): Promise<MicroworldManifest> {
  const manifest = await readJson<MicroworldManifest | null>(directory, MANIFEST_NAME);
  if (manifest?.format === 'ocelli-microworld' && manifest.version === MICROWORLD_VERSION) return manifest;
  throw refusal(directory, `${MANIFEST_NAME} of another format or version`);
}

/**
 * Reads a split with questions, their types and ground truth.
 *
 * @throws MicroworldError if the directory holds no microworld of this version, or a file of it is missing or damaged
 */
export async function readMicroworldSplit(directory: string, split: MicroworldSplit): Promise<MicroworldSample[]> {
  await readMicroworldManifest(directory);
  const records = await readJson<ConversationRecord[]>(directory, `${split}.json`);
  const rows = await readJson<Pick<MicroworldSample, 'id' | 'scene' | 'truth'>[]>(directory, `truth/${split}.json`);
  return records.map(({ id, image, conversations, question_types: types }, index) => {
    const row = rows[index];
    if (row?.id !== id) throw refusal(directory, `truth/${split}.json without the picture ${id}`);
    return {
      id,
      image: join(directory, image),
      questions: types.map((type, turn) => ({
        type,
        text: conversations[2 * turn]!.value.replace('<image>\n', ''),
        answer: conversations[2 * turn + 1]!.value,
      })),
      scene: row.scene,
      truth: row.truth,
    };
  });
}

async function readJson<T>(directory: string, path: string): Promise<T> {
  try {
    return JSON.parse(await readFile(join(directory, path), 'utf8')) as T;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw refusal(directory, missing ? `no ${path}` : `an unreadable ${path}`, cause);
  }
}

function refusal(directory: string, received: string, cause?: unknown): MicroworldError {
  return new MicroworldError({
    operation: 'readMicroworldSplit',
    expected: `${directory} to hold a generated microworld`,
    received,
    remedy: 'generate it again with generateMicroworld',
    option: 'directory',
    value: directory,
    cause,
  });
}
