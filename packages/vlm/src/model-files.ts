import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CheckpointError,
  isDType,
  type Module,
  openCheckpoint,
  type StateEntry,
  type TensorSource,
  writeCheckpoint,
  writeFileAtomically,
} from '@ocelli/core-tensor';
import type { VisionLanguageConfig } from './config.js';
import { VisionLanguageModel } from './vision-language-model.js';

const configName = 'config.json';

/**
 * Writes a module's parameters as safetensors into a folder.
 *
 * @throws CheckpointError naming the file that cannot be written.
 */
export async function saveWeights(folder: string, module: Module): Promise<void> {
  const tensors = Object.entries(module.namedParameters()).map(([name, parameter]) => {
    // Dtype and data of a parameter belong together, which the compiler cannot see.
    const source = { dtype: parameter.dtype, shape: parameter.shape, data: () => parameter.data() } as TensorSource;
    return [name, source] as const;
  });
  await writeCheckpoint(folder, tensors);
}

/**
 * Loads a module's parameters from a folder or file of safetensors.
 *
 * @param prefix names in the file start with this, for a part of a larger model.
 * @throws CheckpointError that lists every missing, unexpected and misshapen name, or names the damaged file.
 */
export async function loadWeights(
  path: string,
  module: Module,
  { prefix = '' }: { prefix?: string } = {},
): Promise<void> {
  const checkpoint = await openCheckpoint(path);
  try {
    const state: Record<string, StateEntry> = {};
    for (const key of checkpoint.keys()) {
      if (!key.startsWith(prefix)) continue;
      const { dtype, shape } = checkpoint.info(key);
      const { data } = await checkpoint.read(
        key,
        isDType(dtype) && dtype !== 'float16' && dtype !== 'bfloat16' ? {} : { as: 'float32' },
      );
      state[key.slice(prefix.length)] = { shape, data };
    }
    module.loadState(state);
  } finally {
    await checkpoint.close();
  }
}

/** Writes a model into a folder: `config.json` and safetensors. */
export async function saveModel(folder: string, model: VisionLanguageModel): Promise<void> {
  await saveWeights(folder, model);
  await writeFileAtomically(join(folder, configName), `${JSON.stringify(model.config, undefined, 2)}\n`);
}

/**
 * Reads a model that {@link saveModel} wrote.
 *
 * @throws CheckpointError if the folder holds none, its configuration is invalid, or its weights do not fit it.
 */
export async function loadModel(folder: string): Promise<VisionLanguageModel> {
  const model = await readModel(join(folder, configName));
  await loadWeights(folder, model);
  return model;
}

async function readModel(file: string): Promise<VisionLanguageModel> {
  try {
    return new VisionLanguageModel(JSON.parse(await readFile(file, 'utf8')) as VisionLanguageConfig);
  } catch (cause) {
    throw new CheckpointError({
      operation: 'load model',
      file,
      expected: 'the configuration of a vision-language model, as JSON',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Name a folder that saveModel wrote.',
      cause,
    });
  }
}
