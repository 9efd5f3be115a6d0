import { type CheckpointReader, type KeyMap, type LoadWeightsOptions, loadWeights } from '@ocelli/core-tensor';
import { openWeights } from '../checkpoint/open-weights.js';
import { readJson } from '../checkpoint/read-json.js';
import { type ConvNextConfig, type ConvNextConfigInput, parseConvNextConfig } from './config.js';
import { convNextConfigFromWeights } from './config-from-weights.js';
import { ConvNextTower } from './convnext-tower.js';
import { findConvNextLayout } from './find-layout.js';
import { convNextConfigFromHuggingFace, convNextModelTypes } from './hugging-face-config.js';
import { convNextConfigFromOpenClip, convNextConfigFromTimm } from './timm-config.js';

/** Options of {@link loadConvNext}. */
export interface LoadConvNextOptions extends Pick<LoadWeightsOptions, 'onProgress'> {
  /** Structure of the tower. Default: what the folder tells. */
  readonly config?: ConvNextConfigInput;
  /** What the names of the tower's tensors begin with, where a checkpoint has several towers. */
  readonly prefix?: string;
}

const operation = 'loadConvNext';

/**
 * A tower with published weights, which become float32. Takes a folder or a safetensors file with a tower by itself, a
 * classifier, a CLIP model or a vision-language model, in the layout of Hugging Face, timm, open_clip, Eagle or Facebook,
 * with any number of stages; the head, the pooled norm and other models' tensors are ignored. The structure comes from
 * `open_clip_config.json` or `config.json`; a checkpoint without one of its own is taken for the published tower of the
 * same depths and widths.
 *
 * @throws CheckpointError if a file is missing or malformed, there is no such tower, or tensors are missing, unexpected
 *   or misshapen (all are listed)
 * @throws ConfigError if the structure cannot be told, or is none that this tower can have
 */
export async function loadConvNext(path: string, options: LoadConvNextOptions = {}): Promise<ConvNextTower> {
  const { config, prefix, onProgress } = options;
  const reader = await openWeights(path);
  try {
    const { keyMap } = findConvNextLayout(operation, reader, prefix);
    const tower = new ConvNextTower(config ?? (await readConfig(path, reader, keyMap)));
    await loadWeights(tower, reader, { operation, keyMap, ...(onProgress ? { onProgress } : {}) });
    return tower;
  } finally {
    await reader.close();
  }
}

async function readConfig(path: string, reader: CheckpointReader, keyMap: KeyMap): Promise<ConvNextConfig> {
  const openClip = await readJson(operation, path, 'open_clip_config.json');
  if (openClip) return convNextConfigFromOpenClip(openClip);
  const json = (await readJson(operation, path, 'config.json')) ?? {};
  if (json.type === 'convnext') return parseConvNextConfig(json as ConvNextConfigInput);
  if (typeof json.architecture === 'string') return convNextConfigFromTimm(json);
  // Of a vision-language model, it describes the language model.
  const isOwn = convNextModelTypes.some((type) => type === json.model_type) || Array.isArray(json.hidden_sizes);
  return isOwn ? convNextConfigFromHuggingFace(json) : convNextConfigFromWeights(operation, reader, keyMap);
}
