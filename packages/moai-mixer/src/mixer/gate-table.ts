import { broadcastTo, cast, div, expandDims, materialize, maximum, mul, sum, type Tensor } from '@ocelli/core-tensor';
import type { ExpertWeights } from './moai-mixer.js';
import { expertNames } from './routing.js';

/** Mean weights of the experts of a modality: one row per layer with a mixer. Plain data, to be drawn or stored. */
export interface GateTable {
  /** Whose tokens. */
  readonly name: 'image' | 'language';
  /** The layers with a mixer, from 0. */
  readonly layers: readonly number[];
  /** Names of the columns: the experts. */
  readonly levels: readonly string[];
  /** [layers][experts]; null where the batch has no token of the modality. */
  readonly weights: readonly (readonly (number | null)[])[];
}

/** Which tokens are of a modality, bool [batch, tokens]. */
export interface ModalityMasks {
  readonly imageMask: Tensor;
  readonly languageMask: Tensor;
}

/**
 * What the gates of each layer give the experts, on average over the tokens of each modality.
 *
 * @param weights by layer, as a decoder's `gateWeights` has them
 */
export async function gateTables(
  weights: ReadonlyMap<number, ExpertWeights>,
  { imageMask, languageMask }: ModalityMasks,
): Promise<readonly [image: GateTable, language: GateTable]> {
  const layers = [...weights.keys()].sort((a, b) => a - b);
  const rows = (name: 'image' | 'language', mask: Tensor) =>
    layers.map((layer) => meanOver(weights.get(layer)![name], mask));
  const [image, language] = [rows('image', imageMask), rows('language', languageMask)];
  await materialize([...image, ...language]);
  return [await tableOf('image', layers, image), await tableOf('language', layers, language)];
}

/** weights [batch or 1, tokens or 1, 3], mask [batch, tokens] → [3], zeros where the mask has no token */
function meanOver(weights: Tensor, mask: Tensor): Tensor {
  const counted = expandDims(cast(mask, 'float32'), -1); // [batch, tokens, 1]
  const all = broadcastTo(weights, [...mask.shape, 3]);
  return div(sum(mul(all, counted), { axes: [0, 1] }), maximum(sum(counted), 1)); // [3]
}

async function tableOf(
  name: GateTable['name'],
  layers: readonly number[],
  rows: readonly Tensor[],
): Promise<GateTable> {
  const values = await Promise.all(rows.map(async (row) => Array.from(await row.data(), Number)));
  const weights = values.map((row) => (row.every((weight) => weight === 0) ? row.map(() => null) : row));
  return { name, layers, levels: expertNames[name], weights };
}
