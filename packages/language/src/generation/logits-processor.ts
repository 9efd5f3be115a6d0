/** What is known of a row whose next token is to be chosen. */
export interface RowContext {
  /**
   * Ids so far: the prompt with its padding, and what was chosen since. Of a prompt given as vectors only the latter is
   * known.
   */
  readonly ids: readonly number[];
  /** How many of `ids` are the prompt's. */
  readonly promptLength: number;
  /** Number of the prompt in its batch; beams and several answers to one prompt share it. */
  readonly row: number;
}

/**
 * Changes a row of scores in place: a token whose score becomes −∞ is not chosen.
 *
 * @param scores [vocabSize]
 */
export type LogitsProcessor = (scores: Float32Array, context: RowContext) => void;

/** A score that is never chosen. */
export const banned = Number.NEGATIVE_INFINITY;
