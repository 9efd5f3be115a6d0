/** A complete answer of beam search. */
export interface Hypothesis {
  /** New tokens, without an end of sequence. */
  readonly tokens: readonly number[];
  /** Whether an end of sequence closed it. */
  readonly isEnded: boolean;
  /** Log-probability / length^lengthPenalty. */
  readonly score: number;
}

export interface BeamHypothesesOptions {
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | 'never';
  readonly maxNewTokens: number;
}

/** The best complete answers to one prompt, at most `numBeams`. Source: `BeamHypotheses` of Hugging Face's `beam_search.py`. */
export interface BeamHypotheses {
  /** @param length new tokens, the end of sequence included */
  add(tokens: readonly number[], options: { isEnded: boolean; logProbability: number; length: number }): void;
  /**
   * Whether no better answer is to be expected.
   *
   * @param bestLogProbability of all continuations of this step
   * @param length new tokens of these
   */
  isDone(bestLogProbability: number, length: number): boolean;
  /** The best `count`, the best one first. */
  best(count: number): Hypothesis[];
}

export function beamHypotheses({
  numBeams,
  lengthPenalty,
  earlyStopping,
  maxNewTokens,
}: BeamHypothesesOptions): BeamHypotheses {
  const kept: Hypothesis[] = [];
  const normalized = (logProbability: number, length: number) => logProbability / length ** lengthPenalty;
  const worst = () => kept.reduce((least, { score }) => Math.min(least, score), Number.POSITIVE_INFINITY);

  return {
    add(tokens, { isEnded, logProbability, length }) {
      const score = normalized(logProbability, length);
      if (kept.length >= numBeams && !(score > worst())) return;
      kept.push({ tokens, isEnded, score });
      // Of equally bad ones the oldest goes.
      if (kept.length > numBeams)
        kept.splice(
          kept.findIndex((each) => each.score === worst()),
          1,
        );
    },
    isDone(bestLogProbability, length) {
      if (kept.length < numBeams) return false;
      if (earlyStopping === true) return true;
      const longest = earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : length;
      return worst() >= normalized(bestLogProbability, longest);
    },
    best(count) {
      // A stable ascending order from its end: of equal ones the newest comes first.
      return [...kept]
        .sort((a, b) => a.score - b.score)
        .reverse()
        .slice(0, count);
    },
  };
}
