export * from './dtype.js';
export {
  CheckpointError,
  type CheckpointErrorDetails,
  ConfigError,
  DTypeError,
  EngineError,
  type ErrorDetails,
  formatShape,
  GraphError,
  OcelliError,
  ShapeError,
  type ShapeErrorDetails,
} from './errors.js';
export {
  type IntegerOptions,
  type NormalOptions,
  normalFloats,
  permutation,
  randomIntegers,
  type TruncatedNormalOptions,
  truncatedNormalFloats,
  type UniformOptions,
  uniformFloats,
} from './random/distributions.js';
export type { GainOptions, Initializer, KaimingOptions, Nonlinearity } from './random/initializers.js';
// A namespace: `zeros`, `ones` and `uniform` would read as tensors of these values.
export * as initializers from './random/initializers.js';
export { foldIn, type RandomKey, randomKey, splitKey } from './random/key.js';
export { philoxBlock, philoxUniformInto, philoxWordsInto } from './random/philox.js';
export { type CheckpointReader, openCheckpoint } from './safetensors/checkpoint.js';
export type { StoredTensor, TensorInfo, TensorSource, TensorSources } from './safetensors/format.js';
export { type ParsedSafetensors, parseSafetensors, serializeSafetensors } from './safetensors/memory.js';
export { openSafetensors, type ReadOptions, type SafetensorsReader, type TensorReader } from './safetensors/reader.js';
export { writeFileAtomically } from './safetensors/staged-file.js';
export {
  type WriteCheckpointOptions,
  type WrittenCheckpoint,
  writeCheckpoint,
} from './safetensors/write-checkpoint.js';
export { type WriteOptions, writeSafetensors } from './safetensors/writer.js';
