import { meanAndDeviation } from '@ocelli/eval';
import type { Claim } from '../recipe/schema.js';
import type { ClaimResult, SeedRun, VariantResults } from '../report/results.js';

/**
 * What the runs say about the paper's claims. A difference decides nothing where chance could make it: where it is no
 * larger than the standard error that the seeds' spread and the number of questions give it.
 *
 * @param counts test questions by type.
 */
export function checkClaims(
  claims: readonly Claim[],
  variants: readonly VariantResults[],
  counts: Readonly<Record<string, number>>,
): ClaimResult[] {
  const runsOf = (name: string) => variants.find((variant) => variant.name === name)!.runs;
  return claims.map((claim) => {
    const [better, worse] = [runsOf(claim.better), runsOf(claim.worse)];
    return {
      statement: claim.statement,
      ...(claim.types ? higherOn(claim, claim.types, better, worse, counts) : largestGap(claim, better, worse)),
    };
  });
}

type Verdict = Omit<ClaimResult, 'statement'>;

function higherOn(
  { better: left, worse: right }: Claim,
  types: readonly string[],
  better: readonly SeedRun[],
  worse: readonly SeedRun[],
  counts: Readonly<Record<string, number>>,
): Verdict {
  const [a, b] = [better, worse].map((runs) => statistics(runs, types)) as [Statistics, Statistics];
  const difference = a.mean - b.mean;
  const questions = types.reduce((sum, type) => sum + counts[type]!, 0);
  const variance = ({ mean, deviation }: Statistics, runs: readonly SeedRun[]) =>
    (deviation ** 2 + (mean * (1 - mean)) / questions) / runs.length;
  const standardError = Math.sqrt(variance(a, better) + variance(b, worse));
  const held = Math.abs(difference) <= standardError ? undefined : difference > 0;
  return { held, evidence: `${types.join(' and ')}: ${left} ${percent(a)}, ${right} ${percent(b)}` };
}

function largestGap({ largestGapOn }: Claim, better: readonly SeedRun[], worse: readonly SeedRun[]): Verdict {
  const types = Object.keys(better[0]!.accuracy);
  const gaps = types.map((type) => ({ type, gap: statistics(better, [type]).mean - statistics(worse, [type]).mean }));
  const largest = gaps.reduce((top, each) => (each.gap > top.gap ? each : top));
  const evidence = gaps.map(({ type, gap }) => `${type} ${(100 * gap).toFixed(1)}`).join(', ');
  return { held: largest.type === largestGapOn, evidence: `gap in points: ${evidence}` };
}

interface Statistics {
  readonly mean: number;
  readonly deviation: number;
}

function statistics(runs: readonly SeedRun[], types: readonly string[]): Statistics {
  return meanAndDeviation(
    runs.map(({ accuracy }) => types.reduce((sum, type) => sum + accuracy[type]!, 0) / types.length),
  );
}

function percent({ mean, deviation }: Statistics): string {
  return `${(100 * mean).toFixed(1)} ± ${(100 * deviation).toFixed(1)}`;
}
