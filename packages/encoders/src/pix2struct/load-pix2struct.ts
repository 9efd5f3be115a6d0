import { type CheckpointReader, type LoadWeightsOptions, loadWeights } from '@ocelli/core-tensor';
import { atPrefix } from '../checkpoint/at-prefix.js';
import { chooseLayout, type TowerLayout } from '../checkpoint/choose-layout.js';
import { openWeights } from '../checkpoint/open-weights.js';
import { readJson } from '../checkpoint/read-json.js';
import {
  type Pix2StructVisionConfig,
  type Pix2StructVisionConfigInput,
  parsePix2StructVisionConfig,
} from './config.js';
import { pix2structVisionConfigFromWeights } from './config-from-weights.js';
import { type EaglePix2StructConfigInput, EaglePix2StructTower } from './eagle-pix2struct-tower.js';
import { pix2structModelTypes, pix2structVisionConfigFromHuggingFace } from './hugging-face-config.js';
import { pix2structVisionKeyMap, pix2structVisionRoots } from './key-map.js';
import { Pix2StructVisionEncoder } from './pix2struct-vision-encoder.js';

/** Options of {@link loadPix2StructVision}. */
export interface LoadPix2StructVisionOptions extends Pick<LoadWeightsOptions, 'onProgress'> {
  /** Structure of the encoder. Default: what the folder tells. */
  readonly config?: Pix2StructVisionConfigInput;
  /** What the names of the encoder's tensors begin with, where a checkpoint has several. */
  readonly prefix?: string;
}

const mark = /^((?:.*\.)?)embeddings\.patch_projection\.weight$/;

/** Every Pix2Struct encoder in a checkpoint with these names. */
export function findPix2StructVisionLayouts(keys: readonly string[]): TowerLayout[] {
  return keys.flatMap((key) => {
    const prefix = mark.exec(key)?.[1];
    if (prefix === undefined) return [];
    return [{ prefix, keyMap: atPrefix(pix2structVisionKeyMap, prefix, ...pix2structVisionRoots) }];
  });
}

/**
 * An encoder with published weights, which become float32. Takes a folder or a safetensors file with the encoder alone,
 * a whole Pix2Struct model in Hugging Face's layout, or a checkpoint of Eagle; other tensors are ignored. The structure
 * comes from `config.json`, or from the shapes where that describes another model.
 *
 * @throws CheckpointError if a file is missing or malformed, there is no such encoder, or tensors are missing,
 *   unexpected or misshapen (all are listed)
 * @throws ConfigError if the configuration is invalid
 */
export async function loadPix2StructVision(
  path: string,
  options: LoadPix2StructVisionOptions = {},
): Promise<Pix2StructVisionEncoder> {
  return load('loadPix2StructVision', path, options, (config) => {
    const encoder = new Pix2StructVisionEncoder(config);
    return [encoder, encoder];
  });
}

/** Options of {@link loadEaglePix2Struct}. */
export interface LoadEaglePix2StructOptions
  extends LoadPix2StructVisionOptions,
    Omit<EaglePix2StructConfigInput, 'type' | 'vision'> {}

/**
 * Eagle's tower with the weights of an encoder, which are read as {@link loadPix2StructVision} reads them.
 *
 * @throws CheckpointError and ConfigError as {@link loadPix2StructVision}
 */
export async function loadEaglePix2Struct(
  path: string,
  { config, prefix, onProgress, ...tower }: LoadEaglePix2StructOptions = {},
): Promise<EaglePix2StructTower> {
  return load('loadEaglePix2Struct', path, { config, prefix, onProgress }, (vision) => {
    const module = new EaglePix2StructTower({ ...tower, vision });
    return [module, module.vision_tower];
  });
}

async function load<M>(
  operation: string,
  path: string,
  options: { readonly [Name in keyof LoadPix2StructVisionOptions]: LoadPix2StructVisionOptions[Name] | undefined },
  create: (config: Pix2StructVisionConfig) => [module: M, encoder: Pix2StructVisionEncoder],
): Promise<M> {
  const reader = await openWeights(path);
  try {
    const { prefix, keyMap } = chooseLayout(operation, reader, findPix2StructVisionLayouts(reader.keys()), {
      expected: 'one Pix2Struct encoder: a tensor embeddings.patch_projection.weight',
      prefix: options.prefix,
    });
    const config = options.config
      ? parsePix2StructVisionConfig(options.config)
      : await readConfig(operation, path, reader, prefix);
    const [module, encoder] = create(config);
    const { onProgress } = options;
    await loadWeights(encoder, reader, { operation, keyMap, ...(onProgress ? { onProgress } : {}) });
    return module;
  } finally {
    await reader.close();
  }
}

async function readConfig(
  operation: string,
  path: string,
  reader: CheckpointReader,
  prefix: string,
): Promise<Pix2StructVisionConfig> {
  const json = await readJson(operation, path, 'config.json');
  if (json?.type === 'pix2struct') return parsePix2StructVisionConfig(json);
  const isPix2Struct = pix2structModelTypes.some((type) => type === json?.model_type);
  return isPix2Struct ? pix2structVisionConfigFromHuggingFace(json) : pix2structVisionConfigFromWeights(reader, prefix);
}
