import { add, type Module, mul, randomUniform, type StreamKey, type Tensor } from '@ocelli/core-tensor';
import type { ResidualManagersConfig } from './config.js';

/** Sizes of one manager in a language model. */
export interface ResidualManagerConfig
  extends Pick<ResidualManagersConfig, 'type' | 'hiddenSize' | 'jitter' | 'initializerRange'> {
  /** Number of levels that are managed. */
  readonly levels: number;
}

/** What a manager in a language model combines. */
export interface ResidualManagerInputs {
  /** Projected hidden states of the vision tower, [batch, levels, tokens, width]; zeros where nothing is to be added. */
  readonly levels: Tensor;
  /** The decoder's states of the same tokens, [batch, tokens, width]; static managers need none. */
  readonly states?: Tensor | undefined;
  /** The decoder's states of the question, [batch, question tokens, width]. Default: `states`. */
  readonly question?: Tensor | undefined;
  /** 0 where a token does not belong to the question: [batch, question tokens]. Default: all do. */
  readonly questionMask?: Tensor | undefined;
}

export interface ResidualManagerOptions {
  /** Draws the jitter of training; without a key there is none, as in evaluation. */
  readonly jitterKey?: StreamKey | undefined;
  /** Numbers in [0, 1) instead of drawn ones, of the shape that the jitter has. */
  readonly uniform?: Tensor | undefined;
}

/** What a manager adds to the decoder's states. */
export interface ResidualManager extends Module {
  /** → [batch, tokens, width] */
  forward(inputs: ResidualManagerInputs, options?: ResidualManagerOptions): Tensor;
  /** What the levels are multiplied by, without jitter: [1 or batch, levels, 1 or tokens, width]. */
  weights(inputs?: ResidualManagerInputs): Tensor;
}

/** x scaled by U(1 − range, 1 + range), drawn for every element. */
export function jittered(x: Tensor, range: number, { jitterKey, uniform }: ResidualManagerOptions): Tensor {
  const draws = uniform ?? (jitterKey && randomUniform(jitterKey, x.shape));
  return draws ? mul(x, add(1 - range, mul(2 * range, draws))) : x;
}

/** Ranges of the jitter in the released code and in the paper. */
export const jitterRange = { weights: 0.01, output: 0.02 } as const;
