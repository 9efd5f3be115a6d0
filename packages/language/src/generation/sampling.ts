import { ConfigError, foldIn, type RandomKey, randomKey, uniformFloats } from '@ocelli/core-tensor';
import { type Candidates, candidatesOf, exponentials } from './selection.js';

/** The token of the highest score, the first of equals. @throws ConfigError if none is left */
export function likeliestToken(scores: Float32Array): number {
  let likeliest = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) {
    if (scores[id]! <= highest || Number.isNaN(scores[id])) continue;
    likeliest = id;
    highest = scores[id]!;
  }
  requireCandidates(likeliest >= 0);
  return likeliest;
}

/**
 * A token at random, by the softmax of the scores. The same key chooses the same token.
 *
 * @throws ConfigError if none is left
 */
export function sampleToken(scores: Float32Array, key: RandomKey): number {
  const { ids, values, masses, total } = massesOf(scores);
  const [high, low] = uniformFloats(key, 2);
  let left = fine(high!, low!) * total;
  let chosen = -1;
  for (let index = 0; index < values.length; index++) {
    if (masses[index] === 0) continue;
    chosen = index; // what rounding leaves over goes to the last one
    left -= masses[index]!;
    if (left < 0) break;
  }
  return ids ? ids[chosen]! : chosen;
}

/**
 * Different tokens, drawn one after the other by the softmax of the scores. Each gets an exponentially distributed time
 * at the rate of its probability; the earliest are the ones drawn (Efraimidis & Spirakis 2006).
 *
 * @returns at most `count` ids, in the order in which they were drawn
 * @throws ConfigError if none is left
 */
export function sampleTokens(scores: Float32Array, count: number, key: RandomKey): number[] {
  const { ids, masses } = massesOf(scores);
  const draws = uniformFloats(key, 2 * masses.length);
  const times = Float64Array.from(masses, (mass, index) => {
    return -Math.log1p(-fine(draws[2 * index]!, draws[2 * index + 1]!)) / mass;
  });
  const possible = Int32Array.from(masses.keys()).filter((index) => masses[index]! > 0);
  const earliest = possible.sort((a, b) => times[a]! - times[b]!).subarray(0, count);
  return Array.from(earliest, (index) => (ids ? ids[index]! : index));
}

function massesOf(scores: Float32Array): Candidates & { masses: Float32Array; total: number } {
  const candidates = candidatesOf(scores);
  const masses = new Float32Array(candidates.values.length);
  const total = exponentials(candidates.values, candidates.highest, masses);
  requireCandidates(total > 0);
  return { ...candidates, masses, total };
}

/**
 * Keys of the random numbers of a generation. Those of a row at a step depend on the seed and these two alone: not on
 * what other rows the batch has.
 */
export function samplingKeys(seed: number): (row: number, step: number) => RandomKey {
  const root = foldIn(randomKey(seed), 'generate');
  const rows = new Map<number, RandomKey>();
  return (row, step) => {
    const key = rows.get(row) ?? foldIn(root, row);
    rows.set(row, key);
    return foldIn(key, step);
  };
}

/** A number in [0, 1) of 48 bits from two of 24, with which rare tokens of large vocabularies would be too rare, or too common. */
function fine(high: number, low: number): number {
  return high + low * 2 ** -24;
}

/** @throws ConfigError if no token is left to choose */
export function requireCandidates(hasSome: boolean): void {
  if (hasSome) return;
  throw new ConfigError({
    operation: 'generate',
    expected: 'a token that may come next',
    received: 'scores that are all −∞ or not numbers',
    remedy: 'Ban fewer tokens, or check the weights of the model.',
  });
}
