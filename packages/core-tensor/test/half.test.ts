import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '../src/dtype.js';
import { float8ToFloat32, float32ToFloat8 } from '../src/float8.js';

const allPatterns = Uint16Array.from({ length: 65536 }, (_, pattern) => pattern);

/** The value of a small float by its definition: exponent bits, mantissa bits. */
function decode(pattern: number, exponentBits: number, mantissaBits: number): number {
  const sign = pattern >> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (pattern >> mantissaBits) & (2 ** exponentBits - 1);
  const fraction = (pattern & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

const formats = [
  { name: 'float16', exponentBits: 5, mantissaBits: 10, toFloat32: float16ToFloat32, fromFloat32: float32ToFloat16 },
  { name: 'bfloat16', exponentBits: 8, mantissaBits: 7, toFloat32: bfloat16ToFloat32, fromFloat32: float32ToBfloat16 },
];

describe.each(formats)('$name', ({ exponentBits, mantissaBits, toFloat32, fromFloat32 }) => {
  const values = toFloat32(allPatterns);
  const infinity = (2 ** exponentBits - 1) << mantissaBits;

  it('decodes all 65536 patterns to the values of the format', () => {
    const wrong = [...allPatterns].filter(
      (pattern) => !Object.is(values[pattern], decode(pattern, exponentBits, mantissaBits)),
    );
    expect(wrong).toEqual([]);
  });

  it('returns every one of the 65536 patterns, NaN payloads included, after a round trip', () => {
    expect(fromFloat32(values)).toEqual(allPatterns);
  });

  it('rounds everything between two neighbours to the nearest, ties to the even pattern', () => {
    const wrong: number[] = [];
    for (let pattern = 0; pattern < infinity - 1; pattern++) {
      const middle = (values[pattern]! + values[pattern + 1]!) / 2; // exact in float32, which has more bits
      const word = new Uint32Array(Float32Array.of(middle).buffer)[0]!;
      const probes = new Float32Array(Uint32Array.of(word - 1, word, word + 1).buffer);
      const even = pattern % 2 === 0 ? pattern : pattern + 1;
      const sign = 1 << 15;
      const expected = [pattern, even, pattern + 1];
      const got = [...fromFloat32(probes), ...fromFloat32(probes.map((value) => -value))];
      if (got.some((result, i) => result !== (i < 3 ? expected[i]! : expected[i - 3]! | sign))) {
        wrong.push(pattern);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('overflows to infinity from halfway beyond the largest number', () => {
    const largest = values[infinity - 1]!;
    const halfway = new Uint32Array(Float32Array.of(largest).buffer)[0]! + 2 ** (22 - mantissaBits);
    const probes = new Float32Array(Uint32Array.of(halfway - 1, halfway, 0x7f7fffff).buffer);
    expect([...fromFloat32(probes)]).toEqual([infinity - 1, infinity, infinity]);
  });

  it('keeps a NaN whose payload lies in the dropped bits a NaN', () => {
    const [positive, negative] = fromFloat32(new Float32Array(Uint32Array.of(0x7f800001, 0xff800001).buffer));
    expect(positive! & 0x7fff).toBeGreaterThan(infinity);
    expect(negative! & 0x7fff).toBeGreaterThan(infinity);
    expect([positive! >> 15, negative! >> 15]).toEqual([0, 1]);
  });

  it('works on views into larger buffers and writes into a given target', () => {
    const source = new Float32Array([9, 1, -2, 9]).subarray(1, 3);
    const target = new Uint16Array(3);
    expect(fromFloat32(source, target)).toBe(target);
    const back = new Float32Array(4).subarray(1, 4);
    expect([...toFloat32(target, back)]).toEqual([1, -2, 0]);
  });
});

describe('bfloat16 at any offset', () => {
  it.each([0, 1, 2, 3])('reads every element from element %i on', (offset) => {
    const patterns = Uint16Array.from({ length: 9 }, (_, i) => 0xbf80 + 257 * i);
    const values = bfloat16ToFloat32(patterns.subarray(offset));
    expect([...new Uint32Array(values.buffer)]).toEqual([...patterns.subarray(offset)].map((each) => each * 65536));
  });
});

describe('8-bit floats', () => {
  const patterns = Uint8Array.from({ length: 256 }, (_, pattern) => pattern);

  it('have the extreme values of their paper', () => {
    const e4m3 = float8ToFloat32(patterns, 'float8_e4m3');
    const e5m2 = float8ToFloat32(patterns, 'float8_e5m2');
    expect([e4m3[0x7e], e4m3[0x7f], e4m3[0x08], e4m3[0x01]]).toEqual([448, Number.NaN, 2 ** -6, 2 ** -9]);
    expect([e5m2[0x7b], e5m2[0x7c], e5m2[0x7d], e5m2[0x04], e5m2[0x01]]).toEqual([
      57344,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      2 ** -14,
      2 ** -16,
    ]);
    expect(e4m3[0xfe]).toBe(-448);
  });

  it('decode e5m2 as the upper byte of float16', () => {
    const halves = Uint16Array.from(patterns, (pattern) => pattern << 8);
    expect(float8ToFloat32(patterns, 'float8_e5m2')).toEqual(float16ToFloat32(halves));
  });

  it.each(['float8_e4m3', 'float8_e5m2'] as const)('round %s to nearest, ties to even', (dtype) => {
    const values = float8ToFloat32(patterns, dtype);
    const finite = [...patterns].filter((pattern) => Number.isFinite(values[pattern]));
    expect([
      ...float32ToFloat8(
        Float32Array.from(finite, (pattern) => values[pattern]!),
        dtype,
      ),
    ]).toEqual(finite);
    const middles = finite.filter((pattern) => pattern < 128 && Number.isFinite(values[pattern + 1]));
    const encoded = float32ToFloat8(
      Float32Array.from(middles, (pattern) => (values[pattern]! + values[pattern + 1]!) / 2),
      dtype,
    );
    expect([...encoded]).toEqual(middles.map((pattern) => pattern + (pattern % 2)));
  });

  it('overflow to NaN (e4m3) and infinity (e5m2)', () => {
    const probes = Float32Array.of(463, 464, 465, Number.POSITIVE_INFINITY, Number.NaN, -500);
    // 464 lies halfway between 448 (even) and the place of 480, which is NaN.
    const decoded = [...float8ToFloat32(float32ToFloat8(probes, 'float8_e4m3'), 'float8_e4m3')];
    expect(decoded).toEqual([448, 448, Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
    const wide = float32ToFloat8(Float32Array.of(61439, 61440, -1e9), 'float8_e5m2');
    expect([...wide]).toEqual([0x7b, 0x7c, 0xfc]);
  });
});
