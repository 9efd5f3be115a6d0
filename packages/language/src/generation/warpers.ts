import { banned, type LogitsProcessor } from './logits-processor.js';
import {
  type Candidates,
  candidatesOf,
  cutByMass,
  exponentialBuckets,
  exponentials,
  kthLargest,
  massBuckets,
} from './selection.js';

/** Divides scores: below 1 the likely tokens become likelier. */
export function temperature(value: number): LogitsProcessor {
  return (scores) => {
    const factor = 1 / value;
    for (let id = 0; id < scores.length; id++) scores[id]! *= factor;
  };
}

/** Removes scores below the k-th largest, k at least `minTokensToKeep`. Scores equal to it stay (Fan et al. 2018). */
export function topK(k: number, minTokensToKeep = 1): LogitsProcessor {
  return (scores) => {
    const lowest = kthLargest(scores, Math.max(k, minTokensToKeep));
    const kept: number[] = [];
    for (let id = 0; id < scores.length; id++) if (scores[id]! >= lowest) kept.push(id);
    const values = kept.map((id) => scores[id]!);
    scores.fill(banned);
    kept.forEach((id, index) => {
      scores[id] = values[index]!;
    });
  };
}

/**
 * Keeps the smallest set of the likeliest tokens whose probabilities add up to `p` (Holtzman et al. 2020, "The Curious
 * Case of Neural Text Degeneration"). Of equal scores at its border, those of lower ids stay.
 */
export function topP(p: number, minTokensToKeep = 1): LogitsProcessor {
  const spare = Math.fround(1 - p);
  return (scores) => {
    const { ids, values, highest } = candidatesOf(scores);
    const buckets = exponentialBuckets(values, highest);
    const total = buckets.reduce((sum, mass) => sum + mass, 0);
    const massOf = (index: number) => Math.exp(values[index]! - highest);
    const suffices = (mass: number) => Math.fround((total - mass) / total) <= spare;
    const cut = cutByMass(values, highest, buckets, massOf, suffices);
    const needed = minTokensToKeep > 1 ? kthLargest(values, minTokensToKeep) : cut.value;
    const lowest = Math.min(cut.value, needed);
    // Of the scores equal to the lowest one, the first ones stay.
    let mass = needed < cut.value ? total : cut.massAbove;
    let rank = minTokensToKeep > 1 ? countAbove(values, lowest) : mass > 0 ? 1 : 0;
    for (let index = 0; index < values.length; index++) {
      if (values[index]! > lowest) continue;
      if (values[index] === lowest && (rank < minTokensToKeep || !suffices(mass))) {
        mass += massOf(index);
        rank++;
      } else scores[ids ? ids[index]! : index] = banned;
    }
  };
}

/** Removes tokens whose probability is below `share` times the likeliest one's (Nguyen et al. 2024). */
export function minP(share: number, minTokensToKeep = 1): LogitsProcessor {
  return (scores) => {
    const candidates = candidatesOf(scores);
    // p < share · highest p, without the normalisation that both have.
    removeBelow(scores, candidates, candidates.values, candidates.highest + Math.log(share), minTokensToKeep);
  };
}

/**
 * Keeps the tokens whose information is closest to the entropy of the whole, until their probabilities add up to
 * `mass` (Meister et al. 2022, "Locally Typical Sampling").
 */
export function typical(mass: number, minTokensToKeep = 1): LogitsProcessor {
  const enough = Math.fround(mass);
  return (scores) => {
    const candidates = candidatesOf(scores);
    const { masses, total, logTotal } = distribution(candidates);
    const entropy = entropyOf(candidates, masses);
    const values = candidates.values.map((score) => -Math.abs(logTotal - score - entropy));
    const highest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const buckets = massBuckets(values, highest, masses);
    const suffices = (sum: number) => Math.fround(sum / total) >= enough;
    const cut = cutByMass(values, highest, buckets, (index) => masses[index]!, suffices);
    removeBelow(scores, candidates, values, cut.value, minTokensToKeep);
  };
}

/** Removes tokens of a probability below `epsilon` (Hewitt et al. 2022, "Truncation Sampling as Desmoothing"). */
export function epsilonCutoff(epsilon: number, minTokensToKeep = 1): LogitsProcessor {
  return (scores) => {
    const candidates = candidatesOf(scores);
    const { logTotal } = distribution(candidates);
    removeBelow(scores, candidates, candidates.values, logTotal + Math.log(epsilon), minTokensToKeep);
  };
}

/** Removes tokens of a probability below min(epsilon, √epsilon·e^(−entropy)) (Hewitt et al. 2022). */
export function etaCutoff(epsilon: number, minTokensToKeep = 1): LogitsProcessor {
  return (scores) => {
    const candidates = candidatesOf(scores);
    const { masses, logTotal } = distribution(candidates);
    const least = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropyOf(candidates, masses)));
    removeBelow(scores, candidates, candidates.values, logTotal + Math.log(least), minTokensToKeep);
  };
}

/** Makes scores logarithms of probabilities. */
export const logSoftmax: LogitsProcessor = (scores) => {
  const { logTotal } = distribution(candidatesOf(scores));
  for (let id = 0; id < scores.length; id++) scores[id]! -= logTotal;
};

/** Bans candidates whose `values` are below `least`, but not those of the `minTokensToKeep` largest values. */
function removeBelow(
  scores: Float32Array,
  { ids }: Candidates,
  values: Float32Array,
  least: number,
  minTokensToKeep: number,
): void {
  const lowest = Math.min(least, kthLargest(values, minTokensToKeep));
  for (let index = 0; index < values.length; index++) {
    if (values[index]! < lowest) scores[ids ? ids[index]! : index] = banned;
  }
}

/** Probabilities are masses / total; their logarithms are values − logTotal. */
function distribution({ values, highest }: Candidates): { masses: Float32Array; total: number; logTotal: number } {
  const masses = new Float32Array(values.length);
  const total = exponentials(values, highest, masses);
  return { masses, total, logTotal: highest + Math.log(total) };
}

function entropyOf({ values, highest }: Candidates, masses: Float32Array): number {
  let total = 0;
  let weighted = 0;
  for (let index = 0; index < values.length; index++) {
    total += masses[index]!;
    weighted += masses[index]! * (highest - values[index]!);
  }
  return weighted / total + Math.log(total);
}

function countAbove(values: Float32Array, value: number): number {
  let count = 0;
  for (let index = 0; index < values.length; index++) if (values[index]! > value) count++;
  return count;
}
