import { loadWeights } from '@ocelli/core-tensor';
import type { TwoTowerConfig } from './config.js';
import { twoTowerKeyMap } from './key-map.js';
import { TwoTowerModel } from './two-tower-model.js';

/**
 * Reads published weights, as safetensors, into the model of a configuration. Heads that the checkpoint lacks start anew,
 * as where a pre-trained model is fine-tuned. What `saveModel` wrote, `loadModel` reads.
 *
 * @param path folder or file
 * @throws CheckpointError if the weights do not fit the configuration
 */
export async function loadTwoTower(path: string, config: TwoTowerConfig): Promise<TwoTowerModel> {
  const model = new TwoTowerModel(config);
  await loadWeights(model, path, { keyMap: twoTowerKeyMap(model) });
  return model;
}
