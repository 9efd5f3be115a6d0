import { type CheckpointReader, type KeyMap, type LoadWeightsOptions, loadWeights } from '@ocelli/core-tensor';
import type { TowerLayout } from '../checkpoint/choose-layout.js';
import { openWeights } from '../checkpoint/open-weights.js';
import { publishedTowerOf } from '../checkpoint/published-tower.js';
import { readJson } from '../checkpoint/read-json.js';
import { type SiglipVisionConfig, type SiglipVisionConfigInput, siglipVisionConfigs } from './config.js';
import { siglipVisionConfigFromWeights } from './config-from-weights.js';
import { findSiglipVisionLayout } from './find-layout.js';
import { siglipVisionConfigFromHuggingFace } from './hugging-face-config.js';
import { SiglipVisionTower } from './siglip-vision-tower.js';

/** Options of {@link loadSiglipVision}. */
export interface LoadSiglipVisionOptions extends Pick<LoadWeightsOptions, 'onProgress'> {
  /** Structure of the stored tower. Default: what the folder tells. */
  readonly config?: SiglipVisionConfigInput;
  /** What the names of the tower's tensors begin with, where a checkpoint has several towers. */
  readonly prefix?: string;
  /** Load the first blocks only: 26 of 27 for LLaVA-NeXT. Default: all that are stored. */
  readonly numHiddenLayers?: number;
  /** False leaves a stored pooling head out. Default: as stored. */
  readonly visionUseHead?: boolean;
}

const operation = 'loadSiglipVision';

const block = /vision_model\.encoder\.layers\.(\d+)\./;

/**
 * A tower with published weights, which become float32. Takes a folder or a safetensors file with a vision tower, a
 * whole SigLIP model, or a vision-language model with such a tower (LLaVA-NeXT and LLaVA-OneVision, whose tower lacks
 * the last block and the head), in the layout of Hugging Face; other tensors are ignored. The structure comes from
 * `config.json`; where that does not have it, from the shapes and the published tower that they fit.
 *
 * @throws CheckpointError if a file is missing or malformed, there is no such tower, or tensors are missing, unexpected
 *   or misshapen (all are listed)
 * @throws ConfigError if the structure cannot be told, or the folder describes another kind of model
 */
export async function loadSiglipVision(
  path: string,
  options: LoadSiglipVisionOptions = {},
): Promise<SiglipVisionTower> {
  const { config, prefix, numHiddenLayers, visionUseHead, onProgress } = options;
  const reader = await openWeights(path);
  try {
    const layout = findSiglipVisionLayout(operation, reader, prefix);
    const stored = config ?? (await readConfig(path, reader, layout));
    const tower = new SiglipVisionTower({
      ...stored,
      ...(numHiddenLayers === undefined ? {} : { numHiddenLayers }),
      ...(visionUseHead === undefined ? {} : { visionUseHead }),
    });
    const keyMap = withoutParts(layout.keyMap, reader, options);
    await loadWeights(tower, reader, { operation, keyMap, ...(onProgress ? { onProgress } : {}) });
    return tower;
  } finally {
    await reader.close();
  }
}

/** Also ignores the blocks and the head that are left out. */
function withoutParts(
  keyMap: KeyMap,
  reader: CheckpointReader,
  { numHiddenLayers = Number.POSITIVE_INFINITY, visionUseHead = true }: LoadSiglipVisionOptions,
): KeyMap {
  const stored = reader.keys().flatMap((key) => block.exec(key)?.[1] ?? []);
  const blocks = [...new Set(stored)].filter((number) => Number(number) >= numHiddenLayers);
  return {
    ...keyMap,
    ignore: [
      ...(keyMap.ignore ?? []),
      ...(visionUseHead ? [] : [/(^|\.)vision_model\.head\./]),
      ...blocks.map((number) => new RegExp(`(^|\\.)vision_model\\.encoder\\.layers\\.${number}\\.`)),
    ],
  };
}

async function readConfig(path: string, reader: CheckpointReader, layout: TowerLayout): Promise<SiglipVisionConfig> {
  const json = await readJson(operation, path, 'config.json');
  if (json && (json.vision_config || !('mm_vision_tower' in json))) return siglipVisionConfigFromHuggingFace(json);
  const known = json && publishedTowerOf(operation, json, siglipVisionConfigs);
  return siglipVisionConfigFromWeights(operation, reader, layout, known);
}
