/** A 4-bit format of bitsandbytes: what each code stands for, in units of a block's largest magnitude. */
export type Bnb4Format = 'nf4' | 'fp4';

/**
 * Values by code. NF4: quantiles of the normal distribution (Dettmers et al. 2023, appendix E). FP4: a sign, two
 * exponent bits, one mantissa bit. Source: bitsandbytes-foundation/bitsandbytes, `functional.py`, `get_4bit_type`.
 */
export const codebooks: { readonly [Format in Bnb4Format]: Float32Array } = {
  nf4: Float32Array.of(
    -1,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1,
  ),
  fp4: Float32Array.from(
    [0, 0.0625, 8, 12, 4, 6, 2, 3, 0, -0.0625, -8, -12, -4, -6, -2, -3],
    (twelfths) => twelfths / 12,
  ),
};

/** Finds nearest values of a codebook. */
export interface NearestCode {
  /** Codes in the order of their values, each value once. */
  readonly codes: Uint8Array;
  /** `bounds[i]`: the greatest float32 that belongs to `codes[i]` rather than to `codes[i + 1]`. */
  readonly bounds: Float64Array;
}

/**
 * The codebook made ready for looking values up: nearest as the float32 differences say, of equally near ones the
 * lowest code. Of two codes for one value the higher is never used.
 */
export function nearestCode(codebook: Float32Array): NearestCode {
  const distinct = [...codebook.keys()].filter((code) => codebook.indexOf(codebook[code]!) === code);
  const codes = Uint8Array.from(distinct.sort((a, b) => codebook[a]! - codebook[b]!));
  const bounds = Float64Array.from({ length: codes.length - 1 }, (_, place) => {
    const [low, high] = [codes[place]!, codes[place + 1]!];
    return lastBelow(codebook[low]!, codebook[high]!, low < high);
  });
  return { codes, bounds };
}

/** The greatest float32 in [low, high] whose distance to `low` is smaller than that to `high`, or equal if `orEqual`. */
function lastBelow(low: number, high: number, orEqual: boolean): number {
  const belongs = (x: number) => {
    const [down, up] = [Math.fround(x - low), Math.fround(high - x)];
    return down < up || (orEqual && down === up);
  };
  let [inside, outside] = [low, high];
  for (;;) {
    const middle = Math.fround((inside + outside) / 2);
    if (middle === inside || middle === outside) return inside;
    if (belongs(middle)) inside = middle;
    else outside = middle;
  }
}
