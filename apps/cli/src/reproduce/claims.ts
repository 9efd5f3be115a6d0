import { meanAndDeviation } from '@ocelli/eval';
import type { Claim } from '../recipe/schema.js';
import type { ClaimResult, SeedRun, VariantResults } from '../report/results.js';

/** What the runs say about the paper's claims. A difference within the seeds' deviations decides nothing. */
export function checkClaims(claims: readonly Claim[], variants: readonly VariantResults[]): ClaimResult[] {
  const runsOf = (name: string) => variants.find((variant) => variant.name === name)!.runs;
  return claims.map((claim) => {
    const [better, worse] = [runsOf(claim.better), runsOf(claim.worse)];
    return {
      statement: claim.statement,
      ...(claim.types ? higherOn(claim, claim.types, better, worse) : largestGap(claim, better, worse)),
    };
  });
}

type Verdict = Omit<ClaimResult, 'statement'>;

function higherOn(
  { better: left, worse: right }: Claim,
  types: readonly string[],
  better: readonly SeedRun[],
  worse: readonly SeedRun[],
): Verdict {
  const [a, b] = [better, worse].map((runs) => statistics(runs, types)) as [Statistics, Statistics];
  const difference = a.mean - b.mean;
  const held = Math.abs(difference) <= Math.max(a.deviation, b.deviation) ? undefined : difference > 0;
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
