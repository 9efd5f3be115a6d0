import { z } from 'zod';

/** A size that must be there. */
export const size = z.int().positive();

/** Fields of every projector. */
export const commonFields = {
  /** Width of the vision features. */
  visionWidth: size,
  /** Width of the language model's tokens. */
  languageWidth: size,
  /** Number of features an image has; needed for a position table. Default: any. */
  inputTokens: size.optional(),
  /** Learned tokens put behind the image's. Default: 0. */
  endTokens: z.int().nonnegative().default(0),
  /** Deviation of the first values of weights, position tables and end tokens. Default: 0.02. */
  initializerRange: z.number().nonnegative().default(0.02),
};

/** A field that adds a learned position to every feature. */
export const positionEmbedding = (start: boolean) => z.boolean().default(start);

/** A field that normalises the features first. */
export const prenorm = z.boolean().default(false);

/** Refuses a position table of unknown length. */
export function hasPositionCount(config: {
  readonly positionEmbedding: boolean;
  readonly inputTokens?: number | undefined;
}): boolean {
  return !config.positionEmbedding || config.inputTokens !== undefined;
}

/** What {@link hasPositionCount} says when it refuses. */
export const positionCountIssue = { path: ['inputTokens'], message: 'is needed for a position table' };
