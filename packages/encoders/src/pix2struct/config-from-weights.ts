import type { CheckpointReader } from '@ocelli/core-tensor';
import { type Pix2StructVisionConfig, parsePix2StructVisionConfig } from './config.js';

/** Of all published encoders. */
const headDim = 64;

/**
 * The encoder that tensors show, for checkpoints of other models that have one inside.
 *
 * @param prefix what the names of the encoder's tensors begin with
 * @throws ConfigError if the shapes are those of no encoder
 */
export function pix2structVisionConfigFromWeights(reader: CheckpointReader, prefix: string): Pix2StructVisionConfig {
  const shapeOf = (name: string) => (reader.has(prefix + name) ? reader.info(prefix + name).shape : []);
  const [hiddenSize = 0, patchEmbedHiddenSize = 0] = shapeOf('embeddings.patch_projection.weight');
  const [sequenceLength = 0] = shapeOf('embeddings.row_embedder.weight');
  const [innerWidth = 0] = shapeOf('encoder.layer.0.attention.query.weight');
  const [intermediateSize = 0] = shapeOf('encoder.layer.0.mlp.wi_0.weight');
  let numHiddenLayers = 0;
  while (reader.has(`${prefix}encoder.layer.${numHiddenLayers}.mlp.wi_0.weight`)) numHiddenLayers++;
  return parsePix2StructVisionConfig({
    hiddenSize,
    patchEmbedHiddenSize,
    intermediateSize,
    numHiddenLayers,
    numAttentionHeads: innerWidth / headDim,
    headDim,
    sequenceLength,
    patchSize: Math.sqrt(patchEmbedHiddenSize / 3),
  });
}
