import { type CheckpointReader, ConfigError } from '@ocelli/core-tensor';
import { parseRobertaConfig, type RobertaConfig, robertaConfigs } from './config.js';

const block = /^encoder\.layer\.(\d+)\./;

/**
 * The structure of an encoder from the shapes of its tensors, where no file tells it. What shapes do not tell is as in
 * the published models: heads of width 64, and so on.
 *
 * @param prefix in front of the encoder's names
 * @throws ConfigError if the shapes are not those of such an encoder
 */
export function robertaConfigFromWeights(operation: string, reader: CheckpointReader, prefix: string): RobertaConfig {
  const rowsOf = (name: string) => (reader.has(prefix + name) ? (reader.info(prefix + name).shape[0] ?? 0) : 0);
  const blocks = reader
    .keys()
    .flatMap((key) => (key.startsWith(prefix) ? (block.exec(key.slice(prefix.length))?.[1] ?? []) : []));
  const sizes = {
    vocabSize: rowsOf('embeddings.word_embeddings.weight'),
    maxPositionEmbeddings: rowsOf('embeddings.position_embeddings.weight'),
    typeVocabSize: rowsOf('embeddings.token_type_embeddings.weight'),
    hiddenSize: rowsOf('embeddings.LayerNorm.weight'),
    intermediateSize: rowsOf('encoder.layer.0.intermediate.dense.weight'),
    numHiddenLayers: new Set(blocks).size,
  };
  if (Object.values(sizes).includes(0) || sizes.hiddenSize % 64 !== 0) {
    throw new ConfigError({
      operation,
      expected: 'tensors of RoBERTa with heads of width 64',
      received: JSON.stringify(sizes),
      remedy: 'Give the configuration.',
    });
  }
  return parseRobertaConfig({
    ...robertaConfigs['roberta-base'],
    ...sizes,
    numAttentionHeads: sizes.hiddenSize / 64,
  });
}
