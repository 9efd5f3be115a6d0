import type { CheckpointReader } from '@ocelli/core-tensor';
import { parseSamVisionConfig, type SamVisionConfig } from './config.js';

/**
 * The encoder that tensors show, for checkpoints of other models that have one inside: the lengths of the tables of
 * relative positions tell windows from global attention. A short neck is Eagle's, which unshuffles by 2.
 *
 * @param prefix what the names of the encoder's tensors begin with
 * @throws ConfigError if the shapes are those of no encoder
 */
export function samVisionConfigFromWeights(reader: CheckpointReader, prefix: string): SamVisionConfig {
  const shapeOf = (name: string) => (reader.has(prefix + name) ? reader.info(prefix + name).shape : []);
  const [hiddenSize = 0, numChannels = 0, patchSize = 0] = shapeOf('patch_embed.projection.weight');
  const [, grid = 0] = shapeOf('pos_embed');
  const [intermediateSize = 0] = shapeOf('layers.0.mlp.lin1.weight');
  const [, headWidth = 0] = shapeOf('layers.0.attn.rel_pos_h');
  const [outputChannels = 0] = shapeOf('neck.conv1.weight');
  const sides: number[] = [];
  while (reader.has(`${prefix}layers.${sides.length}.attn.rel_pos_h`)) {
    const [count = 0] = shapeOf(`layers.${sides.length}.attn.rel_pos_h`);
    sides.push((count + 1) / 2);
  }
  const isFull = reader.has(`${prefix}neck.conv2.weight`);
  return parseSamVisionConfig({
    hiddenSize,
    intermediateSize,
    numHiddenLayers: sides.length,
    numAttentionHeads: hiddenSize / headWidth,
    numChannels,
    imageSize: grid * patchSize,
    patchSize,
    qkvBias: reader.has(`${prefix}layers.0.attn.qkv.bias`),
    windowSize: sides.find((side) => side !== grid) ?? grid,
    globalAttentionIndexes: sides.flatMap((side, index) => (side === grid ? [index] : [])),
    outputChannels,
    neck: isFull ? 'full' : 'short',
    pixelUnshuffle: isFull ? 1 : 2,
  });
}
