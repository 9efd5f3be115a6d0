import type { Module, StreamKey, Tensor } from '@ocelli/core-tensor';
import type { LevelWeights } from '../../level-weights.js';

/** What a manager of one modality combines. */
export interface ManagerInputs {
  /** Outputs of the managed layers of the unimodal encoder, bottom to top: [batch, levels, tokens, width]. */
  readonly levels: Tensor;
  /** Outputs of the cross-modal layers so far, of this modality, oldest first: each [batch, tokens, width]. */
  readonly previous: readonly Tensor[];
  /** 0 where a token is padding, [batch, tokens]: read-out weights are means over the others. */
  readonly mask?: Tensor | undefined;
  /** The last of those of the other modality, [batch, other tokens, width]; adaptive managers look at it. */
  readonly other?: Tensor | undefined;
  /** Which tokens of the other modality exist, [batch, other tokens]; used by managers that mask their query only. */
  readonly otherMask?: Tensor | undefined;
}

/** What makes a manager explore in training. */
export interface ManagerForwardOptions {
  /** Draws the noise on the scores; without a key there is none, as in evaluation. */
  readonly noiseKey?: StreamKey | undefined;
  /** The noise itself instead, [batch, levels, tokens, width]. */
  readonly noise?: Tensor | undefined;
}

/** Weights as they multiply the normalised states; axes of size 1 stand for all of theirs. */
export interface ManagerWeights {
  /** [1 or batch, levels, 1 or tokens, 1 or width]; sums to one over the levels. */
  readonly levels: Tensor;
  /** Of the cross-modal outputs that take part, [1, outputs, 1, 1 or width]; undefined in front of the first layer. */
  readonly previous: Tensor | undefined;
}

/**
 * Stands in front of a cross-modal layer and gives it a weighted sum of all levels of its modality's encoder, and of
 * what the cross-modal layers made of it so far (Xu et al. 2023, "ManagerTower", arXiv 2306.00103).
 */
export interface Manager extends Module {
  /** → [batch, tokens, width] */
  forward(inputs: ManagerInputs, options?: ManagerForwardOptions): Tensor;
  /** The weights alone, without noise. Managers whose weights do not depend on the inputs need none. */
  weights(inputs?: ManagerInputs): ManagerWeights;
  /** The weights as plain numbers: means over samples, tokens and features. */
  levelWeights(inputs?: ManagerInputs): Promise<LevelWeights>;
}
