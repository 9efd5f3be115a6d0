import { type CheckpointReader, type LoadWeightsOptions, loadWeights } from '@ocelli/core-tensor';
import { atPrefix } from '../checkpoint/at-prefix.js';
import { chooseLayout, type TowerLayout } from '../checkpoint/choose-layout.js';
import { openWeights } from '../checkpoint/open-weights.js';
import { type Eva02VisionConfigInput, eva02VisionConfigs } from './config.js';
import { Eva02VisionEncoder } from './eva02-vision-encoder.js';
import { eva02VisionKeyMap, eva02VisionRoots } from './key-map.js';

/** Options of {@link loadEva02Vision}. */
export interface LoadEva02VisionOptions extends Pick<LoadWeightsOptions, 'onProgress'> {
  /** Structure of the encoder, which the published files do not tell. Default: `eva02-large-det`. */
  readonly config?: Eva02VisionConfigInput;
  /** What the names of the encoder's tensors begin with, where a checkpoint has several. */
  readonly prefix?: string;
}

/** The norm inside the gated feed-forward part, which only the original names so. */
const mark = /^((?:.*\.)?)blocks\.0\.mlp\.ffn_ln\.weight$/;

/** Every EVA-02 encoder in a checkpoint with these names. */
export function findEva02VisionLayouts(keys: readonly string[]): TowerLayout[] {
  return keys.flatMap((key) => {
    const prefix = mark.exec(key)?.[1];
    return prefix === undefined ? [] : [{ prefix, keyMap: atPrefix(eva02VisionKeyMap, prefix, ...eva02VisionRoots) }];
  });
}

/**
 * An encoder with published weights, which become float32. Takes a folder or a safetensors file with the encoder alone,
 * a whole detector (`backbone.net.…`; convert `eva02_L_coco_det_sys_o365.pth` first), or a checkpoint of Eagle; other
 * tensors are ignored.
 *
 * @throws CheckpointError if a file is missing or malformed, there is no such encoder, or tensors are missing,
 *   unexpected or misshapen (all are listed)
 * @throws ConfigError if the configuration is invalid
 */
export async function loadEva02Vision(
  path: string,
  { config = eva02VisionConfigs['eva02-large-det'], prefix, onProgress }: LoadEva02VisionOptions = {},
): Promise<Eva02VisionEncoder> {
  const operation = 'loadEva02Vision';
  const reader = await openWeights(path);
  try {
    const { keyMap } = findLayout(operation, reader, prefix);
    const encoder = new Eva02VisionEncoder(config);
    await loadWeights(encoder, reader, { operation, keyMap, ...(onProgress ? { onProgress } : {}) });
    return encoder;
  } finally {
    await reader.close();
  }
}

function findLayout(operation: string, reader: CheckpointReader, prefix: string | undefined): TowerLayout {
  return chooseLayout(operation, reader, findEva02VisionLayouts(reader.keys()), {
    expected: 'one EVA-02 encoder: a tensor blocks.0.mlp.ffn_ln.weight',
    prefix,
  });
}
