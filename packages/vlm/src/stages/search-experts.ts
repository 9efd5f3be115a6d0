import { ConfigError } from '@ocelli/core-tensor';

/** A combination of experts, in the order of their channels, and its score. */
export interface ScoredExperts<Expert> {
  readonly experts: readonly Expert[];
  readonly score: number;
}

/** Combinations that were tried with as many experts, in the order of trying; the best one came first among equals. */
export interface SearchRound<Expert> {
  readonly candidates: readonly ScoredExperts<Expert>[];
  readonly best: ScoredExperts<Expert>;
}

/** What a search found. */
export interface ExpertSearch<Expert> {
  /** The combination that was kept last. */
  readonly best: ScoredExperts<Expert>;
  /** Every round, with the last one, which was no better, if the search did not run out of experts. */
  readonly rounds: readonly SearchRound<Expert>[];
}

export interface ExpertSearchOptions<Expert> {
  /** Trains and evaluates a mixture; higher is better. */
  readonly score: (experts: readonly Expert[]) => number | Promise<number>;
  /**
   * How many of the best single experts it begins with. 2 (default): CLIP and ConvNeXt, section 2.6 and figure 4. 1: CLIP
   * alone, the introduction and the first version of the paper.
   */
  readonly beginWith?: 1 | 2 | undefined;
  /** The combination to begin with, where the single experts' scores are known; no single expert is scored then. */
  readonly start?: readonly Expert[] | undefined;
}

/**
 * Greedy search for the best mixture (Shi et al. 2024, "Eagle", section 2.6): in each round every remaining expert is
 * tried beside those that were kept, the best combination stays, and the first round without a better one ends it.
 *
 * @throws ConfigError if there are fewer experts than to begin with, one is there twice, `start` has others, or a score is
 *   not finite
 *
 * @example
 * ```ts
 * const { best } = await searchExperts(['clip', 'convnext', 'sam'], { score: trainAndEvaluate });
 * ```
 */
export async function searchExperts<Expert>(
  experts: readonly Expert[],
  { score, beginWith = 2, start }: ExpertSearchOptions<Expert>,
): Promise<ExpertSearch<Expert>> {
  requireExperts(experts, start ?? experts.slice(0, beginWith), start === undefined ? beginWith : 1);
  const evaluate = async (combination: readonly Expert[]): Promise<ScoredExperts<Expert>> => {
    const value = await score(combination);
    if (!Number.isFinite(value)) throw problem('scores that are finite', `${value} of ${combination.join(', ')}`);
    return { experts: combination, score: value };
  };
  const round = async (combinations: readonly (readonly Expert[])[]): Promise<SearchRound<Expert>> => {
    const candidates: ScoredExperts<Expert>[] = [];
    for (const combination of combinations) candidates.push(await evaluate(combination));
    return { candidates, best: candidates.reduce((best, each) => (each.score > best.score ? each : best)) };
  };

  const rounds: SearchRound<Expert>[] = [];
  let beginning = start;
  if (beginning === undefined) {
    const singles = await round(experts.map((expert) => [expert]));
    rounds.push(singles);
    const ranked = [...singles.candidates].sort((a, b) => b.score - a.score).slice(0, beginWith);
    const kept = ranked.flatMap(({ experts: single }) => single);
    beginning = experts.filter((expert) => kept.includes(expert));
  }
  // A single expert has been scored already.
  const scored = rounds[0]?.candidates.find(
    ({ experts: [expert] }) => beginning.length === 1 && expert === beginning[0],
  );
  if (scored === undefined) rounds.push(await round([beginning]));
  let best = scored ?? rounds.at(-1)!.best;
  for (
    let remaining = without(experts, best.experts);
    remaining.length > 0;
    remaining = without(experts, best.experts)
  ) {
    const next = await round(remaining.map((expert) => [...best.experts, expert]));
    rounds.push(next);
    if (next.best.score <= best.score) break;
    best = next.best;
  }
  return { best, rounds };
}

function without<Expert>(experts: readonly Expert[], kept: readonly Expert[]): Expert[] {
  return experts.filter((expert) => !kept.includes(expert));
}

function requireExperts<Expert>(experts: readonly Expert[], start: readonly Expert[], least: number): void {
  if (start.length < least) throw problem(`at least ${least} experts`, String(start.length));
  for (const [what, list] of [
    ['experts', experts],
    ['start', start],
  ] as const) {
    if (new Set(list).size !== list.length) throw problem(`${what} to be different ones`, list.join(', '));
  }
  const unknown = without(start, experts);
  if (unknown.length > 0) throw problem('start to be among the experts', unknown.join(', '));
}

function problem(expected: string, received: string): ConfigError {
  return new ConfigError({ operation: 'searchExperts', expected, received });
}
