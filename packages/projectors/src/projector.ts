import type { Module, StreamKey, Tensor } from '@ocelli/core-tensor';
import type { ProjectorConfig } from './registry.js';

export interface ProjectorForwardOptions {
  /** Drops attention weights at the configured rate; without a key nothing is dropped, as in evaluation. */
  readonly dropoutKey?: StreamKey | undefined;
}

/** Turns features of a vision tower into tokens for a language model. */
export interface Projector extends Module {
  readonly config: ProjectorConfig;
  /** Number of tokens, end tokens included, that `inputTokens` features become. */
  tokens(inputTokens: number): number;
  /**
   * features [batch, inputTokens, visionWidth] → [batch, tokens(inputTokens), languageWidth]
   *
   * @throws ShapeError if the features do not fit the configuration
   */
  forward(features: Tensor, options?: ProjectorForwardOptions): Tensor;
}
