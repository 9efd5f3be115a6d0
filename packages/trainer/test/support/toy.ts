import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  dropout,
  foldIn,
  gelu,
  LayerNorm,
  Linear,
  Module,
  mean,
  normalFloats,
  randomKey,
  type StreamKey,
  square,
  sub,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import { onTestFinished } from 'vitest';
import { repeatBatches, type TrainConfig, type TrainingBatch, type TrainOptions } from '../../src/index.js';

/** A regression network with the parts that optimizers treat differently. */
export class Mlp extends Module {
  readonly up: Linear;
  readonly norm: LayerNorm;
  readonly down: Linear;

  constructor(
    readonly width = 8,
    readonly rate = 0,
  ) {
    super();
    this.up = new Linear(4, width);
    this.norm = new LayerNorm(width);
    this.down = new Linear(width, 1);
  }

  /** x [batch, 4] → [batch, 1] */
  forward(x: Tensor, key?: StreamKey): Tensor {
    return this.down.forward(dropout(gelu(this.norm.forward(this.up.forward(x))), { rate: this.rate, key }));
  }
}

export interface Points {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Points of y = x₀ − 2·x₁ + 3. */
export function pointBatches(count: number, size = 16): TrainingBatch<Points>[] {
  return Array.from({ length: count }, (_, index) => {
    const x = normalFloats(foldIn(randomKey(7), index), size * 4);
    const y = Float32Array.from({ length: size }, (_, row) => x[4 * row]! - 2 * x[4 * row + 1]! + 3);
    const inputs = { x: tensor(x, [size, 4]), y: tensor(y, [size, 1]) };
    const sampleIds = Array.from({ length: size }, (_, row) => `point-${index}-${row}`);
    return { inputs, samples: size, tokens: size * 4, sampleIds };
  });
}

/** Mean squared error of a network, with dropout under the step's key. */
export function squaredError(model: Mlp): (points: Points, key: StreamKey) => Tensor {
  return ({ x, y }, key) => mean(square(sub(model.forward(x, key), y)));
}

export function oneStage(stage: Partial<TrainConfig['stages'][number]> = {}): TrainConfig {
  return { seed: 3, stages: [{ name: 'fit', trainable: ['*'], learningRate: 0.02, steps: 10, ...stage }] };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-trainer-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A run of the toy network; every part can be replaced. */
export function toyRun(
  overrides: Partial<TrainOptions<Points>> & { readonly model?: Mlp } = {},
): TrainOptions<Points> & { model: Mlp } {
  const model = overrides.model ?? new Mlp(8, 0.1).initialize(1);
  const data = pointBatches(4);
  return {
    config: oneStage(),
    loss: squaredError(model),
    batches: ({ state }) => repeatBatches(data, state),
    directory: temporaryFolder(),
    handleSignals: false,
    ...overrides,
    model,
  };
}
