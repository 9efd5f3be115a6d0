import { type CheckpointReader, ConfigError } from '@ocelli/core-tensor';
import { imageSizeOf, readVitShapes, type VitTensorNames } from '../checkpoint/vit-shapes.js';
import { type ClipVisionConfig, parseClipVisionConfig } from './config.js';
import type { ClipVisionLayout } from './find-layout.js';

const names = {
  'Hugging Face': {
    patches: 'vision_model.embeddings.patch_embedding.weight',
    positions: 'vision_model.embeddings.position_embedding.weight',
    feedForward: 'vision_model.encoder.layers.0.mlp.fc1.weight',
    block: /^vision_model\.encoder\.layers\.(\d+)\./,
  },
  OpenAI: {
    patches: 'visual.conv1.weight',
    positions: 'visual.positional_embedding',
    feedForward: 'visual.transformer.resblocks.0.mlp.c_fc.weight',
    block: /^visual\.transformer\.resblocks\.(\d+)\./,
  },
} as const satisfies Record<string, VitTensorNames>;

/**
 * The structure of a tower from the shapes of its tensors, where no file tells it: that of OpenAI's towers, whose heads
 * are 64 wide and whose activation is quick GELU. Source: OpenAI's `clip/model.py`, `build_model`.
 *
 * @param known what shapes do not tell. Default: as OpenAI's
 * @throws ConfigError if the shapes are not those of such a tower
 */
export function clipVisionConfigFromWeights(
  operation: string,
  reader: CheckpointReader,
  { name, prefix }: ClipVisionLayout,
  known: Partial<ClipVisionConfig> = {},
): ClipVisionConfig {
  const { positions, ...sizes } = readVitShapes(reader, prefix, names[name]);
  const numAttentionHeads = known.numAttentionHeads ?? sizes.hiddenSize / 64;
  const imageSize = imageSizeOf(positions - 1, sizes.patchSize, known);
  if (Object.values(sizes).includes(0) || Number.isNaN(imageSize) || !Number.isInteger(numAttentionHeads)) {
    throw new ConfigError({
      operation,
      expected: 'tensors of a CLIP vision tower with heads of width 64 and a square grid of positions',
      received: `width ${sizes.hiddenSize}, ${positions} positions, ${sizes.numHiddenLayers} blocks`,
      remedy: 'Give the configuration.',
    });
  }
  return parseClipVisionConfig({ ...known, ...sizes, numAttentionHeads, imageSize });
}
