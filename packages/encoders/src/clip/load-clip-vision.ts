import { type CheckpointReader, type LoadWeightsOptions, loadWeights } from '@ocelli/core-tensor';
import { openWeights } from '../checkpoint/open-weights.js';
import { publishedTowerOf } from '../checkpoint/published-tower.js';
import { readJson } from '../checkpoint/read-json.js';
import { ClipVisionTower } from './clip-vision-tower.js';
import { type ClipVisionConfig, type ClipVisionConfigInput, clipVisionConfigs } from './config.js';
import { clipVisionConfigFromWeights } from './config-from-weights.js';
import { type ClipVisionLayout, findClipVisionLayout } from './find-layout.js';
import { type HighResolutionClipConfigInput, HighResolutionClipTower } from './high-resolution-tower.js';
import { clipVisionConfigFromHuggingFace } from './hugging-face-config.js';
import { clipVisionConfigFromOpenClip } from './open-clip-config.js';

/** Options of {@link loadClipVision}. */
export interface LoadClipVisionOptions extends Pick<LoadWeightsOptions, 'onProgress'> {
  /** Structure of the tower. Default: what the folder tells. */
  readonly config?: ClipVisionConfigInput;
  /** What the names of the tower's tensors begin with, where a checkpoint has several towers. */
  readonly prefix?: string;
}

const operation = 'loadClipVision';

/**
 * A tower with published weights, which become float32. Takes a folder or a safetensors file with a vision tower, a
 * whole CLIP model, or a vision-language model with such a tower (LLaVA, ManagerTower), in the layout of Hugging Face,
 * OpenAI or open_clip; other tensors are ignored. The structure comes from `open_clip_config.json` or `config.json`; a
 * checkpoint that has neither is taken for one of OpenAI's, whose structure follows from its shapes.
 *
 * @throws CheckpointError if a file is missing or malformed, there is no such tower, or tensors are missing, unexpected
 *   or misshapen (all are listed)
 * @throws ConfigError if the structure cannot be told, or the folder describes another kind of model
 */
export async function loadClipVision(path: string, options: LoadClipVisionOptions = {}): Promise<ClipVisionTower> {
  return load(
    path,
    options,
    (config) => new ClipVisionTower(config),
    (tower) => tower,
  );
}

/** Options of {@link loadHighResolutionClip}. */
export interface LoadHighResolutionClipOptions
  extends LoadClipVisionOptions,
    Pick<HighResolutionClipConfigInput, 'inputSize'> {}

/**
 * A tower for larger images with the weights of a published one, which are read as {@link loadClipVision} reads them.
 *
 * @throws CheckpointError and ConfigError as {@link loadClipVision}
 */
export async function loadHighResolutionClip(
  path: string,
  { inputSize, ...options }: LoadHighResolutionClipOptions = {},
): Promise<HighResolutionClipTower> {
  return load(
    path,
    options,
    (vision) => new HighResolutionClipTower({ vision, inputSize }),
    (module) => module.vision_tower,
  );
}

async function load<M>(
  path: string,
  { config, prefix, onProgress }: LoadClipVisionOptions,
  create: (config: ClipVisionConfigInput) => M,
  towerOf: (module: M) => ClipVisionTower,
): Promise<M> {
  const reader = await openWeights(path);
  try {
    const layout = findClipVisionLayout(operation, reader, prefix);
    const module = create(config ?? (await readConfig(path, reader, layout)));
    const progress = onProgress ? { onProgress } : {};
    await loadWeights(towerOf(module), reader, { operation, keyMap: layout.keyMap, ...progress });
    return module;
  } finally {
    await reader.close();
  }
}

async function readConfig(path: string, reader: CheckpointReader, layout: ClipVisionLayout): Promise<ClipVisionConfig> {
  const openClip = await readJson(operation, path, 'open_clip_config.json');
  if (openClip) return clipVisionConfigFromOpenClip(openClip);
  const json = await readJson(operation, path, 'config.json');
  if (json && (json.vision_config || !('mm_vision_tower' in json))) return clipVisionConfigFromHuggingFace(json);
  const base = json && publishedTowerOf(operation, json, clipVisionConfigs);
  return clipVisionConfigFromWeights(operation, reader, layout, base);
}
