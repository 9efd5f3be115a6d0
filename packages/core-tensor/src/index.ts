export { checkpoint } from './autodiff/checkpoint.js';
export { gradients, type ValueAndGrads, valueAndGrad, vectorJacobianProduct } from './autodiff/gradients.js';
export { trainingKey, withTrainingKey } from './autodiff/training-key.js';
export { visualMask, withVisualMask } from './autodiff/visual-mask.js';
export { type CompileOptions, compile } from './compile.js';
export { type ConfigIssue, type ConfigSchema, parseConfig } from './config.js';
export type { CudaOptions } from './engine/cuda/options.js';
export { dispose } from './engine/dispose.js';
export type { DeviceBuffer, Engine, Program } from './engine/engine.js';
export { materialize } from './engine/evaluate.js';
export type { OrtOptions } from './engine/ort/options.js';
export {
  closeEngine,
  currentEngine,
  type EngineName,
  type EngineOptions,
  engineNames,
  useEngine,
} from './engine/select.js';
export {
  compileUpdate,
  compileUpdates,
  type QueuedUpdate,
  type TensorUpdate,
  type Update,
  type UpdateOptions,
  type Updates,
} from './engine/update.js';
export type { Graph, GraphNode, OperationNode } from './graph/graph.js';
export { type Shape, sizeOf } from './graph/shape.js';
export { type ApplyLoraOptions, applyLora } from './lora/apply-lora.js';
export { type LoraConfig, type LoraConfigInput, parseLoraConfig } from './lora/config.js';
export { type LoadLoraOptions, loadLora } from './lora/load-lora.js';
export { isLoraMerged, mergeLora, removeLora, unmergeLora } from './lora/merge-lora.js';
export { loraConfigFromPeft, loraConfigToPeft } from './lora/peft-config.js';
export { loraParameters } from './lora/peft-names.js';
export { type SaveLoraOptions, saveLora } from './lora/save-lora.js';
export * from './nn/layers.js';
export {
  type LoadOptions,
  Module,
  matchesName,
  type NamedParameters,
  type NamePattern,
  type StateEntry,
} from './nn/module.js';
export { namePattern } from './nn/name-pattern.js';
export { Parameter, type ParameterOptions, type SetOptions } from './nn/parameter.js';
export { type TrainedNames, trainOnly } from './nn/train-only.js';
export { exportOnnx, type OnnxExportOptions } from './onnx/export.js';
export { type ImportOnnxOptions, importOnnx } from './onnx/import/import-onnx.js';
export type { DeclaredSize, OnnxValueInfo } from './onnx/import/model.js';
export { OnnxError, type OnnxErrorDetails } from './onnx/import/onnx-error.js';
export { OnnxModule } from './onnx/import/onnx-module.js';
export * from './ops/activations.js';
export * from './ops/arithmetic.js';
export { type AttentionOptions, attention } from './ops/attention.js';
export { broadcastTo, sumTo } from './ops/broadcast.js';
export { cast } from './ops/cast.js';
export * from './ops/compare.js';
export * from './ops/convolution.js';
export { einsum } from './ops/einsum.js';
export { embedding } from './ops/embedding.js';
export { stopGradient } from './ops/gradient-control.js';
export { type GridSampleOptions, gridSample } from './ops/grid-sample.js';
export { mergeHeads, splitHeads } from './ops/heads.js';
export * from './ops/indexing.js';
export { type InterpolateOptions, type InterpolationMode, interpolate } from './ops/interpolate.js';
export { linear } from './ops/linear.js';
export * from './ops/losses.js';
export { type MatmulOptions, matmul } from './ops/matmul.js';
export * from './ops/normalization.js';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool2d,
  maxPool2d,
  type PoolOptions,
  pixelShuffle,
  pixelUnshuffle,
  unfold,
} from './ops/pooling.js';
export * from './ops/quantized.js';
export * from './ops/random.js';
export * from './ops/rearrange.js';
export * from './ops/reduce.js';
export { applyRotary, inverseFrequencies, type RotaryTables, rotaryTables } from './ops/rope.js';
export { cumsum } from './ops/scan.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export * from './parity/index.js';
export { type ActivationMemoryOptions, peakActivationBytes } from './plan/activation-memory.js';
export { countFlops, countGraphFlops, type Flops } from './plan/count-flops.js';
export { extrapolateGraph } from './plan/extrapolate-graph.js';
export { placeholder } from './plan/placeholder.js';
export { type RecordedGraph, recordGraph } from './plan/record-graph.js';
export { type WeightMemoryOptions, weightBytes } from './plan/weight-memory.js';
export type { PrimitiveAttributes, PrimitiveName } from './primitives/attributes.js';
export * from './quantization/index.js';
export * from './storage.js';
export { structureChanged } from './structure.js';
export { full, ones, Tensor, type TensorLike, tensor, zeros } from './tensor.js';
export { type DryLoad, dryLoad, isDryLoad } from './weights/dry-load.js';
export {
  type CheckpointOutline,
  type FetchOptions,
  type FetchProgress,
  type FilePattern,
  fetchCheckpoint,
  fetchCheckpointOutline,
} from './weights/hub.js';
export type { FloatTensor, KeyMap, KeyRule, WeightLayout } from './weights/key-map.js';
export { evenRows, reshaped, stackedRows, transposed } from './weights/layouts.js';
export {
  type LoadProgress,
  type LoadReport,
  type LoadWeightsOptions,
  loadWeights,
} from './weights/load-weights.js';
export {
  describeMismatches,
  matchWeights,
  type TensorListing,
  type WeightAssignment,
  type WeightMatch,
  WeightMismatchError,
  type WeightMismatches,
} from './weights/match-weights.js';
export { nameRanges } from './weights/name-ranges.js';
export { readJsonFile } from './weights/read-json-file.js';
export { type SaveWeightsOptions, saveWeights } from './weights/save-weights.js';
