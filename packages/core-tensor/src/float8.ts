/** The two 8-bit float layouts of "FP8 Formats for Deep Learning" (Micikevicius et al., 2022). */
export type Float8DType = 'float8_e4m3' | 'float8_e5m2';

interface Layout {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /** e5m2 has infinities like IEEE; e4m3 uses that exponent for numbers and only 0x7f for NaN. */
  readonly infinities: boolean;
}

const layouts: { readonly [D in Float8DType]: Layout } = {
  float8_e4m3: { exponentBits: 4, mantissaBits: 3, bias: 7, infinities: false },
  float8_e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, infinities: true },
};

/** The value of each of the 256 patterns. */
function valueTable({ exponentBits, mantissaBits, bias, infinities }: Layout): Float32Array {
  const topExponent = 2 ** exponentBits - 1;
  const mantissas = 2 ** mantissaBits;
  return Float32Array.from({ length: 256 }, (_, pattern) => {
    const sign = pattern < 128 ? 1 : -1;
    const exponent = (pattern & 127) >> mantissaBits;
    const mantissa = pattern & (mantissas - 1);
    if (exponent === topExponent && (infinities || mantissa === mantissas - 1)) {
      return infinities && mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    }
    return exponent === 0
      ? sign * mantissa * 2 ** (1 - bias - mantissaBits)
      : sign * (1 + mantissa / mantissas) * 2 ** (exponent - bias);
  });
}

const tables: { readonly [D in Float8DType]: Float32Array } = {
  float8_e4m3: valueTable(layouts.float8_e4m3),
  float8_e5m2: valueTable(layouts.float8_e5m2),
};

/** 8-bit float patterns to float32, exactly. */
export function float8ToFloat32(source: Uint8Array, dtype: Float8DType): Float32Array {
  const table = tables[dtype];
  return Float32Array.from(source, (pattern) => table[pattern]!);
}

/**
 * Float32 to 8-bit float patterns, rounded to nearest, ties to even, as PyTorch: what rounds beyond the largest
 * number becomes infinity (e5m2) or NaN (e4m3, which has no infinity).
 */
export function float32ToFloat8(source: Float32Array, dtype: Float8DType): Uint8Array {
  const table = tables[dtype];
  const { infinities } = layouts[dtype];
  const largest = infinities ? 0x7b : 0x7e;
  const overflow = largest + 1; // infinity in e5m2, NaN in e4m3
  // What the pattern after the largest would stand for if exponents went on: the bound that rounding compares with.
  const next = 2 * table[largest]! - table[largest - 1]!;
  return Uint8Array.from(source, (value) => {
    if (Number.isNaN(value)) {
      return 0x7f;
    }
    const sign = value < 0 || Object.is(value, -0) ? 0x80 : 0;
    const magnitude = Math.abs(value);
    if (magnitude >= next) {
      return sign | overflow;
    }
    // Patterns of positive numbers ascend with their values: find the last one that is not above `magnitude`.
    let low = 0;
    let high = largest;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (table[middle]! <= magnitude) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    const below = magnitude - table[low]!;
    const above = (low === largest ? next : table[low + 1]!) - magnitude;
    const up = above < below || (above === below && (low & 1) === 1);
    return sign | (up ? low + 1 : low);
  });
}
