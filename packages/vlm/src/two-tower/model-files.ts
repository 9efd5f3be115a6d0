import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, loadWeights, saveWeights, writeFileAtomically } from '@ocelli/core-tensor';
import type { TwoTowerConfig } from './config.js';
import { twoTowerKeyMap } from './key-map.js';
import { TwoTowerModel } from './two-tower-model.js';

const configName = 'config.json';

/** Writes a model into a folder: `config.json`, and safetensors under the published names. */
export async function saveTwoTower(folder: string, model: TwoTowerModel): Promise<void> {
  await saveWeights(folder, model, { keyMap: twoTowerKeyMap(model) });
  const config = { type: 'two-tower', ...model.config };
  await writeFileAtomically(join(folder, configName), `${JSON.stringify(config, undefined, 2)}\n`);
}

/**
 * Reads a model that {@link saveTwoTower} wrote, or published weights as safetensors for a given configuration.
 *
 * @param path folder or file
 * @param config of the model. Default: what `config.json` in the folder says
 * @throws CheckpointError if there is no configuration, it is invalid, or the weights do not fit it
 */
export async function loadTwoTower(path: string, config?: TwoTowerConfig): Promise<TwoTowerModel> {
  const model = config ? new TwoTowerModel(config) : await readModel(join(path, configName));
  await loadWeights(model, path, { keyMap: twoTowerKeyMap(model) });
  return model;
}

async function readModel(file: string): Promise<TwoTowerModel> {
  try {
    const { type, ...config } = JSON.parse(await readFile(file, 'utf8')) as TwoTowerConfig & {
      readonly type?: unknown;
    };
    if (type !== 'two-tower') throw new TypeError(`a configuration of type ${JSON.stringify(type)}`);
    return new TwoTowerModel(config);
  } catch (cause) {
    throw new CheckpointError({
      operation: 'load two-tower model',
      file,
      expected: 'the configuration of a two-tower model, as JSON',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Name a folder that saveTwoTower wrote, or give the configuration.',
      cause,
    });
  }
}
