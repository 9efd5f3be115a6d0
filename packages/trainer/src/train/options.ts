import type { Module } from '@ocelli/core-tensor';
import type { CheckpointStoreOptions } from '../checkpoints/checkpoint-store.js';
import type { JsonValue } from '../json.js';
import type { MetricWriter } from '../metrics/metric-writer.js';
import type { Progress } from '../progress/progress.js';
import type { ResumableBatches } from './batches.js';
import type { Stage, TrainConfig } from './config.js';
import type { Loss } from './training-step.js';

/** What batches are asked for. */
export interface BatchRequest {
  readonly stage: Stage;
  /** Where to go on, as `state()` said; undefined for the beginning. */
  readonly state: JsonValue | undefined;
}

export interface CheckpointOptions extends CheckpointStoreOptions {
  /** Steps between checkpoints. One is also saved at the end of each stage, and when the run is interrupted. */
  readonly every?: number;
}

export interface EvaluationOptions {
  /** Steps between evaluations; there is also one at the end of each stage. */
  readonly every: number;
  /** Numbers to log under `evaluation/NAME`. It must leave the parameters and their `requiresGrad` alone. */
  readonly run: () => Promise<Readonly<Record<string, number>>>;
}

/** What {@link train} works on. */
export interface TrainOptions<Inputs> {
  /** All that decides the numbers beside model, loss and batches. */
  readonly config: TrainConfig;
  readonly model: Module;
  readonly loss: Loss<Inputs>;
  /** The batches of a stage, from the beginning or from a state. They must be the same every time. */
  readonly batches: (request: BatchRequest) => ResumableBatches<Inputs> | Promise<ResumableBatches<Inputs>>;
  /** Folder of the run: `metrics.jsonl`, TensorBoard events and `checkpoints/`. */
  readonly directory: string;
  /** Go on from the latest checkpoint in the folder, or from one by its name. Default: false. */
  readonly resume?: boolean | string;
  /** What else must be the same to resume, such as the configs of model and data. */
  readonly identity?: JsonValue;
  readonly checkpoints?: CheckpointOptions;
  readonly evaluation?: EvaluationOptions;
  /** Further places for metrics to go. The caller closes them. */
  readonly metrics?: readonly MetricWriter[];
  /** Default: none. */
  readonly progress?: Progress;
  /** Asks the run to stop after the current step. */
  readonly signal?: AbortSignal;
  /** Stop after the current step at SIGINT or SIGTERM, at once at the second. Default: true. */
  readonly handleSignals?: boolean;
  /** Milliseconds since 1970, for times in metrics. Default: `Date.now`. */
  readonly now?: () => number;
}

/** How a run ended. */
export interface TrainResult {
  /** `interrupted` if it was asked to stop: resume it to go on. */
  readonly status: 'completed' | 'interrupted';
  /** Steps made in the whole run. */
  readonly step: number;
  /** Path of the last checkpoint. */
  readonly checkpoint: string;
}
