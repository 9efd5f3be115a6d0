import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, loadWeights, saveWeights, writeFileAtomically } from '@ocelli/core-tensor';
import type { VisionLanguageConfig } from './config.js';
import { VisionLanguageModel } from './vision-language-model.js';

const configName = 'config.json';

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
  await loadWeights(model, folder);
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
