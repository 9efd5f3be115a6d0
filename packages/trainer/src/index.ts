export { namePattern } from '@ocelli/core-tensor';
export type { BestCheckpoint, CheckpointStoreOptions } from './checkpoints/checkpoint-store.js';
export {
  BatchError,
  NonFiniteError,
  ResumeError,
  RunFileError,
  TrainingEngineError,
} from './errors.js';
export type { JsonValue } from './json.js';
export { type EventFileOptions, openEventFile } from './metrics/event-file.js';
export { type JsonLinesOptions, openJsonLines } from './metrics/json-lines.js';
export type { MetricRecord, MetricWriter } from './metrics/metric-writer.js';
export {
  AdamW,
  type AdamWConfig,
  type AdamWUpdateOptions,
  type AppliedUpdate,
  adamWConfigSchema,
  type LoadedOptimizerState,
  type OptimizerState,
  type OptimizerTensor,
} from './optimizers/adamw.js';
export {
  type AdamWConstants,
  type AdamWRule,
  type AdamWRuleName,
  type AdamWScalars,
  type AdamWTensors,
  adamWRules,
} from './optimizers/adamw-rule.js';
export {
  type GradientClipper,
  type GradientClipperOptions,
  gradientClipper,
  type MeasuredGradients,
} from './optimizers/gradient-clipper.js';
export {
  type GroupConfig,
  type GroupRules,
  groupConfigSchema,
  type ParameterGroup,
  type ParameterSettings,
  parameterGroups,
  parameterSettings,
  undecayedByDefault,
} from './optimizers/parameter-groups.js';
export {
  createProgress,
  formatDuration,
  formatNumber,
  type Progress,
  type ProgressOptions,
  type ProgressReport,
  type ProgressStream,
} from './progress/progress.js';
export {
  createSchedule,
  type Schedule,
  type ScheduleConfig,
  type ScheduleSpan,
  scheduleConfigSchema,
} from './schedules/schedule.js';
export {
  mapBatches,
  type ResumableBatches,
  repeatBatches,
  type TrainingBatch,
} from './train/batches.js';
export { type Stage, stageConfigSchema, type TrainConfig, trainConfigSchema } from './train/config.js';
export type {
  BatchRequest,
  CheckpointOptions,
  EvaluationOptions,
  TrainOptions,
  TrainResult,
} from './train/options.js';
export { train } from './train/train.js';
export type { Loss } from './train/training-step.js';
