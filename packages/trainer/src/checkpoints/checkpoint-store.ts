import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, OcelliError, writeFileAtomically } from '@ocelli/core-tensor';
import { ResumeError, RunFileError, withFile } from '../errors.js';
import { readTrainerState, type Snapshot, writeCheckpointFiles } from './checkpoint-files.js';

/** Which checkpoint is the best. */
export interface BestCheckpoint {
  /** Name of a metric; `loss` is the mean since the checkpoint before. */
  readonly metric: string;
  readonly goal: 'minimum' | 'maximum';
}

export interface CheckpointStoreOptions {
  /** Newest checkpoints to keep. Default: 3. */
  readonly keepLast?: number;
  /** Keeps this one too. */
  readonly best?: BestCheckpoint;
}

/** The checkpoints of a run, each a folder `step-000123`, with a file `latest` that names the newest. */
export interface CheckpointStore {
  /** Names of all checkpoints by step. */
  list(): Promise<string[]>;
  /** Path of a checkpoint, the latest one by default; undefined if there is none yet. */
  find(name?: string): Promise<string | undefined>;
  /**
   * Writes a checkpoint as a whole or not at all, then removes old ones. Returns its path.
   * @throws RunFileError if it cannot be written; earlier checkpoints are as they were.
   */
  save(snapshot: Snapshot): Promise<string>;
}

const folderPattern = /^step-(\d{6,})$/;
const leftoverPattern = /^\.step-\d+\..*\.tmp$/;

/** Opens the folder of a run's checkpoints, and removes what a crash left unfinished in it. */
export async function openCheckpointStore(
  directory: string,
  { keepLast = 3, best }: CheckpointStoreOptions = {},
): Promise<CheckpointStore> {
  await withFile('open', directory, async () => {
    await mkdir(directory, { recursive: true });
    for (const name of await readdir(directory)) {
      if (leftoverPattern.test(name)) await rm(join(directory, name), { recursive: true, force: true });
    }
  });
  const list = async () => {
    const names = await withFile('list', directory, () => readdir(directory));
    return names.filter((name) => folderPattern.test(name)).sort((a, b) => stepOf(a) - stepOf(b));
  };
  const pointer = (name: string) => join(directory, name);

  const readPointer = async (name: string): Promise<string | undefined> => {
    const text = await readFile(pointer(name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text?.trim();
  };

  const updateBest = async (name: string): Promise<void> => {
    if (!best) return;
    const value = (await readTrainerState(join(directory, name))).metrics[best.metric];
    if (value === undefined) return;
    const holder = await readPointer('best');
    const known =
      holder && (await list()).includes(holder)
        ? (await readTrainerState(join(directory, holder))).metrics[best.metric]
        : undefined;
    const isBetter =
      known === undefined || holder === name || (best.goal === 'minimum' ? value < known : value > known);
    if (isBetter) await writeFileAtomically(pointer('best'), `${name}\n`);
  };

  const prune = async (newest: string): Promise<void> => {
    const names = await list();
    const kept = new Set([newest, ...names.slice(-keepLast), (await readPointer('best')) ?? newest]);
    for (const name of names) if (!kept.has(name)) await rm(join(directory, name), { recursive: true });
  };

  return {
    list,
    async find(name) {
      const names = await list();
      const wanted = name ?? (await withFile('read', pointer('latest'), () => readPointer('latest')));
      if (wanted === undefined && names.length === 0) return undefined;
      if (wanted !== undefined && names.includes(wanted)) return join(directory, wanted);
      const file = name === undefined ? pointer('latest') : join(directory, name);
      throw new ResumeError({
        operation: `resume from ${directory}`,
        expected: name === undefined ? `a file latest that names a checkpoint` : 'the name of a checkpoint',
        received: wanted === undefined ? 'no such file' : JSON.stringify(wanted),
        remedy: `Resume from one of these by name: ${names.join(', ') || 'none is there'}.`,
        file,
      });
    },
    async save(snapshot) {
      const name = `step-${String(snapshot.state.step).padStart(6, '0')}`;
      const folder = join(directory, name);
      const staged = join(directory, `.${name}.${randomUUID()}.tmp`);
      try {
        await mkdir(staged);
        await writeCheckpointFiles(staged, snapshot);
        await replaceFolder(staged, folder);
        await writeFileAtomically(pointer('latest'), `${name}\n`);
        await updateBest(name);
        await prune(name);
      } catch (cause) {
        await rm(staged, { recursive: true, force: true });
        throw saveError(folder, cause, (await list()).at(-1));
      }
      return folder;
    },
  };
}

/** Gives a finished folder its name; one of that name is moved away first. */
async function replaceFolder(staged: string, folder: string): Promise<void> {
  const replaced = `${staged.slice(0, -'.tmp'.length)}.replaced.tmp`;
  const hadOne = await rename(folder, replaced).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  await rename(staged, folder);
  await syncFolder(join(folder, '..'));
  if (hadOne) await rm(replaced, { recursive: true });
}

/** Makes renames durable. Windows cannot open folders and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function stepOf(name: string): number {
  return Number(folderPattern.exec(name)![1]);
}

/** Engine failures pass through; what is about files names the checkpoint. */
function saveError(folder: string, cause: unknown, previous: string | undefined): unknown {
  const isAboutFiles =
    cause instanceof CheckpointError || (cause instanceof Error && !(cause instanceof OcelliError) && 'code' in cause);
  if (!isAboutFiles) return cause;
  return new RunFileError({
    operation: 'save checkpoint',
    file: folder,
    expected: 'to write the whole checkpoint',
    received: cause instanceof OcelliError ? cause.received : (cause as Error).message,
    remedy: previous
      ? `Make room on the volume, then resume from ${previous}, which is intact.`
      : 'Make room on the volume, then start again.',
    cause,
  });
}
