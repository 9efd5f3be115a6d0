import { type CheckpointReader, type LoadWeightsOptions, loadWeights } from '@ocelli/core-tensor';
import { atPrefix } from '../checkpoint/at-prefix.js';
import { chooseLayout, type TowerLayout } from '../checkpoint/choose-layout.js';
import { openWeights } from '../checkpoint/open-weights.js';
import { readJson } from '../checkpoint/read-json.js';
import { parseSamVisionConfig, type SamVisionConfig, type SamVisionConfigInput } from './config.js';
import { samVisionConfigFromWeights } from './config-from-weights.js';
import { samModelTypes, samVisionConfigFromHuggingFace } from './hugging-face-config.js';
import { samVisionKeyMap, samVisionRoots, samVisionWithoutNeckKeyMap } from './key-map.js';
import { SamVisionEncoder } from './sam-vision-encoder.js';

/** Options of {@link loadSamVision}. */
export interface LoadSamVisionOptions extends Pick<LoadWeightsOptions, 'onProgress'> {
  /**
   * Structure of the encoder. Default: what the folder tells. With a `short` neck on a checkpoint whose neck is `full`,
   * the neck starts anew, as in Eagle.
   */
  readonly config?: SamVisionConfigInput;
  /** What the names of the encoder's tensors begin with, where a checkpoint has several. */
  readonly prefix?: string;
  /** Of the first values of a neck that starts anew. Default: 0. */
  readonly seed?: number;
}

/** Relative positions of a block; ViTDet and the original files call blocks otherwise. */
const mark = /^((?:.*\.)?)layers\.0\.attn\.rel_pos_h$/;

/** Every SAM encoder in a checkpoint with these names. */
export function findSamVisionLayouts(keys: readonly string[]): TowerLayout[] {
  return keys.flatMap((key) => {
    const prefix = mark.exec(key)?.[1];
    return prefix === undefined ? [] : [{ prefix, keyMap: atPrefix(samVisionKeyMap, prefix, ...samVisionRoots) }];
  });
}

/**
 * An encoder with published weights, which become float32. Takes a folder or a safetensors file with the encoder alone,
 * a whole SAM model in Hugging Face's layout, or a checkpoint of Eagle; other tensors are ignored. The structure comes
 * from `config.json`, or from the shapes where that describes another model.
 *
 * @throws CheckpointError if a file is missing or malformed, there is no such encoder, or tensors are missing,
 *   unexpected or misshapen (all are listed)
 * @throws ConfigError if the configuration is invalid
 */
export async function loadSamVision(path: string, options: LoadSamVisionOptions = {}): Promise<SamVisionEncoder> {
  const operation = 'loadSamVision';
  const reader = await openWeights(path);
  try {
    const { prefix, keyMap } = chooseLayout(operation, reader, findSamVisionLayouts(reader.keys()), {
      expected: 'one SAM encoder: a tensor layers.0.attn.rel_pos_h',
      prefix: options.prefix,
    });
    const config = options.config
      ? parseSamVisionConfig(options.config)
      : await readConfig(operation, path, reader, prefix);
    const startsAnew = config.neck === 'short' && reader.has(`${prefix}neck.conv2.weight`);
    const encoder = new SamVisionEncoder(config).initialize(options.seed ?? 0);
    await loadWeights(encoder, reader, {
      operation,
      keyMap: startsAnew ? atPrefix(samVisionWithoutNeckKeyMap, prefix, ...samVisionRoots) : keyMap,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    });
    return encoder;
  } finally {
    await reader.close();
  }
}

async function readConfig(
  operation: string,
  path: string,
  reader: CheckpointReader,
  prefix: string,
): Promise<SamVisionConfig> {
  const json = await readJson(operation, path, 'config.json');
  const isSam = samModelTypes.some((type) => type === json?.model_type) || json?.type === 'sam';
  if (!json || !isSam) return samVisionConfigFromWeights(reader, prefix);
  return json.type === 'sam' ? parseSamVisionConfig(json) : samVisionConfigFromHuggingFace(json);
}
