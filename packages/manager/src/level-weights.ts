import { cast, div, materialize, mean, mul, reshape, sum, type Tensor } from '@ocelli/core-tensor';
import { isSeen } from './mask.js';

/** What one manager gives each level, on average over samples, tokens and features. */
export interface LevelWeights {
  /** Of the managed layers of the encoder, bottom to top. */
  readonly levels: readonly number[];
  /** Of outputs of earlier cross-modal layers, oldest first; empty where none takes part. */
  readonly previous: readonly number[];
}

/** Weights of several managers: one row per manager, one column per level. Plain data, to be drawn or stored. */
export interface LevelWeightTable {
  /** What is managed, such as `text`. */
  readonly name: string;
  /** The layer that each manager stands in front of, counted from 0. */
  readonly layers: readonly number[];
  /** Names of the columns: layers of the encoder by their number, then earlier outputs. */
  readonly levels: readonly string[];
  /** [layers][levels]; null where a manager has no such level. */
  readonly weights: readonly (readonly (number | null)[])[];
}

/**
 * Means of tensors [1 or batch, entries, 1 or tokens, 1 or width] over everything but the entries.
 *
 * @param mask 0 where a token is padding and does not count: [batch, tokens]
 */
export async function meanWeights(
  { levels, previous }: { readonly levels: Tensor; readonly previous?: Tensor | undefined },
  mask?: Tensor,
): Promise<LevelWeights> {
  const means = [levels, ...(previous ? [previous] : [])].map((weights) => meanOfEntries(weights, mask));
  await materialize(means);
  const [ofLevels, ofPrevious] = await Promise.all(means.map(async (each) => Array.from(await each.data(), Number)));
  return { levels: ofLevels!, previous: ofPrevious ?? [] };
}

/** weights [1 or batch, entries, 1 or tokens, 1 or width] → [entries] */
function meanOfEntries(weights: Tensor, mask: Tensor | undefined): Tensor {
  const [, , tokens, width] = weights.shape as [number, number, number, number];
  if (!mask || tokens === 1) return mean(weights, { axes: [0, 2, 3] });
  const counted = cast(reshape(isSeen(mask), [mask.shape[0]!, 1, tokens, 1]), 'float32');
  return div(sum(mul(weights, counted), { axes: [0, 2, 3] }), mul(sum(counted), width));
}

/**
 * Puts the weights of managers together as rows of a table.
 *
 * @param levelNames of the managed layers, bottom to top
 * @param previousNames of the outputs of earlier layers that any manager weighs, oldest first; a manager with fewer
 *   weighs the last ones of those before its layer
 */
export function weightTable(
  name: string,
  rows: readonly { readonly layer: number; readonly weights: LevelWeights }[],
  {
    levelNames,
    previousNames = [],
  }: { readonly levelNames: readonly string[]; readonly previousNames?: readonly string[] },
): LevelWeightTable {
  const padded = (weights: readonly number[], length: number) =>
    Array.from({ length }, (_, index): number | null => weights[index] ?? null);
  return {
    name,
    layers: rows.map(({ layer }) => layer),
    levels: [...levelNames, ...previousNames],
    weights: rows.map(({ weights }) => [
      ...padded(weights.levels, levelNames.length),
      ...padded(weights.previous, previousNames.length),
    ]),
  };
}
