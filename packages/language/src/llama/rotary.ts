import {
  add,
  cast,
  div,
  inverseFrequencies,
  max,
  maximum,
  mul,
  pow,
  type RotaryTables,
  reciprocal,
  rotaryTables,
  sub,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import type { LlamaConfig, RopeScaling } from './config.js';

/** What of a configuration decides about rotary positions. */
export type RotaryConfig = Pick<LlamaConfig, 'headDim' | 'ropeTheta' | 'ropeScaling' | 'maxPositionEmbeddings'>;

/** Angles per position of the pairs of a head, [headDim / 2], and a factor of their cosines and sines. */
export interface RotaryFrequencies {
  readonly frequencies: Tensor;
  readonly scaling: number;
}

const round = Math.fround;

/**
 * Angle per position of each pair of a head (Su et al. 2021, "RoFormer"), stretched as the configuration asks. Source:
 * Hugging Face `modeling_rope_utils.py`; rounded to float32 after every step as there, since positions multiply what
 * rounding loses.
 *
 * @param positions of the sequence, of any shape: `dynamic` scaling goes by the largest of them
 */
export function rotaryFrequencies(config: RotaryConfig, positions: Tensor): RotaryFrequencies {
  const { ropeScaling: scaling } = config;
  if (scaling?.type === 'dynamic') {
    return { frequencies: dynamicFrequencies(config, scaling.factor, positions), scaling: 1 };
  }
  const frequencies = tensor(constantFrequencies(config));
  if (scaling?.type === 'yarn') {
    return { frequencies, scaling: scaling.attentionFactor ?? 0.1 * Math.log(scaling.factor) + 1 };
  }
  return { frequencies, scaling: 1 };
}

/** Cosines and sines for positions [batch, tokens] → each [batch, 1, tokens, headDim / 2]. */
export function rotaryTablesOf(config: RotaryConfig, positions: Tensor): RotaryTables {
  const { frequencies, scaling } = rotaryFrequencies(config, positions);
  return rotaryTables(positions, frequencies, { scaling });
}

const known = new Map<string, Float32Array>();

/** The same array for the same key, so that programs that hold it as a constant are recognised as equal. */
function remembered(key: string, compute: () => Float32Array): Float32Array {
  const values = known.get(key) ?? compute();
  known.set(key, values);
  return values;
}

function constantFrequencies(config: RotaryConfig): Float32Array {
  const { headDim, ropeTheta, ropeScaling, maxPositionEmbeddings } = config;
  const key = JSON.stringify([headDim, ropeTheta, ropeScaling, maxPositionEmbeddings]);
  return remembered(key, () => stretch(inverseFrequencies(headDim, ropeTheta), config));
}

function stretch(frequencies: Float32Array, config: RotaryConfig): Float32Array {
  const { ropeScaling: scaling } = config;
  if (scaling?.type === 'linear') return frequencies.map((each) => each / scaling.factor);
  if (scaling?.type === 'llama3') return frequencies.map((each) => llama3Frequency(each, scaling));
  if (scaling?.type === 'yarn') return yarnFrequencies(frequencies, config, scaling);
  return frequencies;
}

function llama3Frequency(frequency: number, scaling: RopeScaling & { type: 'llama3' }): number {
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositionEmbeddings: trained } = scaling;
  const wavelength = round(round(2 * Math.PI) / frequency);
  if (wavelength > trained / low) return frequency / factor;
  if (wavelength < trained / high) return frequency;
  const kept = round(round(round(trained / wavelength) - low) / (high - low));
  return round(round(round(1 - kept) * frequency) / factor) + round(kept * frequency);
}

/** Long wavelengths divided by the factor, short ones kept, a ramp over the pairs between. */
function yarnFrequencies(
  frequencies: Float32Array,
  { headDim, ropeTheta, maxPositionEmbeddings }: RotaryConfig,
  { factor, betaFast, betaSlow }: RopeScaling & { type: 'yarn' },
): Float32Array {
  /** The pair that turns so often within the trained length. */
  const pairOf = (turns: number) =>
    (headDim * Math.log(maxPositionEmbeddings / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const low = Math.max(0, Math.floor(pairOf(betaFast)));
  const high = Math.min(headDim - 1, Math.ceil(pairOf(betaSlow)));
  const span = round(high === low ? 0.001 : high - low);
  return frequencies.map((kept, pair) => {
    const divided = round(1 / round(factor * round(ropeTheta ** round((2 * pair) / headDim))));
    const share = round(1 - Math.min(1, Math.max(0, round(round(pair - low) / span))));
    return round(divided * round(1 - share)) + round(kept * share);
  });
}

/**
 * The base θ grows to θ·(factor·L/M − (factor − 1))^(d/(d−2)), where L is the length of the sequence, at least M, the
 * trained one. A length is known only when the program runs, hence on tensors.
 */
function dynamicFrequencies(
  { headDim, ropeTheta, maxPositionEmbeddings }: RotaryConfig,
  factor: number,
  positions: Tensor,
): Tensor {
  const length = maximum(add(max(cast(positions, 'float32')), 1), maxPositionEmbeddings);
  const growth = sub(div(mul(length, factor), maxPositionEmbeddings), factor - 1);
  const base = mul(pow(growth, headDim / (headDim - 2)), ropeTheta);
  const exponents = remembered(`exponents of ${headDim}`, () =>
    Float32Array.from({ length: headDim / 2 }, (_, pair) => (2 * pair) / headDim),
  );
  return reciprocal(pow(base, tensor(exponents)));
}
