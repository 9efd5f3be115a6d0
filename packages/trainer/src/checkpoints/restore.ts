import { basename } from 'node:path';
import { CheckpointError, type Module } from '@ocelli/core-tensor';
import { ResumeError } from '../errors.js';
import { firstDifference, type JsonValue } from '../json.js';
import type { LoadedOptimizerState } from '../optimizers/adamw.js';
import { loadModel, readOptimizerState, readTrainerState } from './checkpoint-files.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { TrainerState } from './trainer-state.js';

/** What a run goes on from. */
export interface Restored {
  readonly state: TrainerState;
  readonly optimizer: LoadedOptimizerState;
  /** Path of the checkpoint. */
  readonly folder: string;
}

/** What must be as it was when the run was started. */
export interface RunIdentity {
  readonly config: JsonValue;
  readonly identity: JsonValue;
}

/**
 * Puts the weights of a run's checkpoint into its model and reads the rest.
 *
 * @param name of the checkpoint; the latest by default.
 * @throws ResumeError if there is none, the config, identity or model differs (it names the key), or a file is damaged
 *   (it names the file).
 */
export async function restore(
  store: CheckpointStore,
  model: Module,
  now: RunIdentity,
  name?: string,
): Promise<Restored> {
  const folder = await store.find(name);
  if (folder === undefined) {
    throw new ResumeError({
      operation: 'resume',
      expected: 'a checkpoint in the folder of the run',
      received: 'none',
      remedy: 'Start the run without resuming.',
      file: '',
    });
  }
  try {
    const state = await readTrainerState(folder);
    requireSame(folder, state, now);
    await loadModel(folder, model, state);
    return { state, optimizer: await readOptimizerState(folder, state), folder };
  } catch (error) {
    if (error instanceof ResumeError ? error.key !== undefined : !(error instanceof CheckpointError)) throw error;
    throw await damagedCheckpoint(store, folder, error as CheckpointError | ResumeError);
  }
}

function requireSame(folder: string, saved: TrainerState, now: RunIdentity): void {
  const difference =
    firstDifference(saved.config, now.config) ?? firstDifference(saved.identity, now.identity, 'identity');
  if (!difference) return;
  const { key, first, second } = difference;
  throw new ResumeError({
    operation: `resume from ${folder}`,
    expected: `the settings of the run, with ${key} = ${JSON.stringify(first) ?? 'nothing'}`,
    received: JSON.stringify(second) ?? 'nothing',
    remedy: `Set ${key} as before, or start another run in another folder.`,
    file: folder,
    key,
  });
}

async function damagedCheckpoint(
  store: CheckpointStore,
  folder: string,
  cause: CheckpointError | ResumeError,
): Promise<ResumeError> {
  const others = (await store.list()).filter((name) => name !== basename(folder));
  return new ResumeError({
    operation: `resume from ${cause.file ?? folder}`,
    expected: cause.expected,
    received: cause.received,
    remedy:
      others.length > 0
        ? `Delete ${folder}, and resume from one of these by name: ${others.reverse().join(', ')}.`
        : `Delete ${folder}, and start the run again.`,
    file: cause.file ?? folder,
    cause,
  });
}
