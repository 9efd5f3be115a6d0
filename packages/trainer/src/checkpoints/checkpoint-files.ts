import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AnyTypedArray,
  type DType,
  type Module,
  openCheckpoint,
  openSafetensors,
  type Shape,
  type TensorReader,
  type TensorSource,
  writeCheckpoint,
  writeFileAtomically,
  writeSafetensors,
} from '@ocelli/core-tensor';
import { ResumeError } from '../errors.js';
import type { AdamW, LoadedOptimizerState } from '../optimizers/adamw.js';
import { checksum } from './checksum.js';
import { type TrainerState, trainerStateSchema } from './trainer-state.js';

const optimizerFile = 'optimizer.safetensors';
const stateFile = 'trainer.json';

/** What a checkpoint is written from. */
export interface Snapshot {
  readonly state: Omit<TrainerState, 'checksums' | 'version' | 'optimizerStep'>;
  readonly model: Module;
  readonly optimizer: AdamW;
}

/** Writes a checkpoint's files into a folder, tensor by tensor. */
export async function writeCheckpointFiles(folder: string, { state, model, optimizer }: Snapshot): Promise<void> {
  const checksums = { model: {}, optimizer: {} };
  const weights = Object.entries(model.namedParameters()).map(
    ([name, parameter]) => [name, summed(name, parameter.dtype, parameter, checksums.model)] as const,
  );
  await writeCheckpoint(folder, weights);
  const { step: optimizerStep, tensors } = optimizer.state();
  const moments = Object.entries(tensors).map(
    ([name, moment]) => [name, summed(name, 'float32', moment, checksums.optimizer)] as const,
  );
  await writeSafetensors(join(folder, optimizerFile), moments);
  const complete: TrainerState = { version: 1, ...state, optimizerStep, checksums };
  await writeFileAtomically(join(folder, stateFile), `${JSON.stringify(complete, undefined, 2)}\n`);
}

/** A tensor to be written that leaves its checksum behind. */
function summed(
  name: string,
  dtype: DType,
  tensor: { readonly shape: Shape; data(): Promise<AnyTypedArray> },
  checksums: Record<string, string>,
): TensorSource {
  const read = async () => {
    const values = await tensor.data();
    checksums[name] = await checksum(values);
    return values;
  };
  return { dtype, shape: tensor.shape, data: read } as TensorSource;
}

/**
 * Reads `trainer.json` of a checkpoint.
 *
 * @throws ResumeError if it is missing or malformed.
 */
export async function readTrainerState(folder: string): Promise<TrainerState> {
  const file = join(folder, stateFile);
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw damaged(file, cause.message, cause);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, (cause as Error).message, cause);
  }
  const parsed = trainerStateSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(file, `${issue!.path.join('.')}: ${issue!.message}`);
}

/** Puts a checkpoint's weights into a model. */
export async function loadModel(folder: string, model: Module, { checksums }: TrainerState): Promise<void> {
  const reader = await openCheckpoint(folder);
  try {
    const parameters = model.namedParameters();
    const names = new Set([...Object.keys(parameters), ...reader.keys()]);
    for (const name of names) {
      const [saved, now] = [reader.has(name) ? reader.info(name) : undefined, parameters[name]];
      const [before, after] = [describe(saved), describe(now)];
      if (before !== after) throw otherModel(folder, name, before, after);
    }
    for (const [name, parameter] of Object.entries(parameters)) {
      parameter.set(await readChecked(folder, reader, name, checksums.model));
    }
  } finally {
    await reader.close();
  }
}

/** A checkpoint's optimizer state. */
export async function readOptimizerState(
  folder: string,
  { optimizerStep, checksums }: TrainerState,
): Promise<LoadedOptimizerState> {
  const file = join(folder, optimizerFile);
  const reader = await openSafetensors(file);
  try {
    const tensors: Record<string, { shape: Shape; data: AnyTypedArray }> = {};
    for (const name of reader.keys()) {
      const data = await readChecked(file, reader, name, checksums.optimizer);
      tensors[name] = { shape: reader.info(name).shape, data };
    }
    return { step: optimizerStep, tensors };
  } finally {
    await reader.close();
  }
}

async function readChecked(
  file: string,
  reader: TensorReader,
  name: string,
  checksums: Readonly<Record<string, string>>,
): Promise<AnyTypedArray> {
  const { data } = await reader.read(name);
  if ((await checksum(data)) === checksums[name]) return data;
  throw damaged(file, `other bytes for ${name}`);
}

function describe(tensor: { readonly dtype: string; readonly shape: readonly number[] } | undefined): string {
  return tensor ? `${tensor.dtype} [${tensor.shape.join(', ')}]` : 'nothing';
}

function otherModel(folder: string, name: string, saved: string, now: string): ResumeError {
  return new ResumeError({
    operation: `resume from ${folder}`,
    expected: `the model of the run, with ${saved} as ${name}`,
    received: `${now}`,
    remedy: 'Build the model as before, or start another run in another folder.',
    file: folder,
    key: `model.${name}`,
  });
}

function damaged(file: string, received: string, cause?: unknown): ResumeError {
  return new ResumeError({ operation: `read ${file}`, expected: 'the file as it was saved', received, file, cause });
}
