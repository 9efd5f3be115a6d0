import { ShapeError } from '../errors.js';
import { type Bnb4Format, codebooks, nearestCode } from './codebook.js';
import { QuantizationError, requireFinite } from './quantization-error.js';

/** How {@link Bnb4Array} is made. */
export interface Bnb4Options {
  readonly format: Bnb4Format;
  /** Elements that share a scale, consecutive in the flat tensor. A power of two, at least 16. Default: 64. */
  readonly blockSize?: number | undefined;
}

/**
 * A tensor in 4-bit codes in the layout of bitsandbytes (`functional.py`, `quantize_4bit`) and of ONNX Runtime's
 * MatMulBnb4: blocks of the flat tensor, which may begin in one row and end in the next. value = codebook[code] · absmax.
 */
export interface Bnb4Array {
  /** ⌈elements / 2⌉ bytes; the first code is in the high half. */
  readonly packed: Uint8Array;
  /** Largest magnitude of each block, ⌈elements / blockSize⌉. */
  readonly absmax: Float32Array;
}

/** Cells that a value in [−1, 1] is first sorted into; narrower than the distance between any two bounds. */
const cells = 128;

interface CellTable {
  /** Of each cell: the code below the bound in it, the code above, and the bound. */
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
  readonly bound: Float64Array;
}

const tables: { readonly [Format in Bnb4Format]: CellTable } = { nf4: tableOf('nf4'), fp4: tableOf('fp4') };

function tableOf(format: Bnb4Format): CellTable {
  const { codes, bounds } = nearestCode(codebooks[format]);
  const table = {
    lower: new Uint8Array(cells + 1),
    upper: new Uint8Array(cells + 1),
    bound: new Float64Array(cells + 1),
  };
  for (let cell = 0; cell <= cells; cell++) {
    const begin = (cell * 2) / cells - 1;
    const place = bounds.filter((bound) => bound < begin).length;
    table.lower[cell] = codes[place]!;
    table.upper[cell] = codes[Math.min(place + 1, codes.length - 1)]!;
    table.bound[cell] = bounds[place] ?? 1;
  }
  return table;
}

/** In float32 and within [−1, 1], which the product may miss by a rounding. */
function clamped(value: number): number {
  const x = Math.fround(value);
  if (x > 1) return 1;
  if (x < -1) return -1;
  return x;
}

function cellOf(x: number): number {
  return ((x + 1) * (cells / 2)) | 0;
}

/**
 * Quantizes a tensor to the nearest values of a codebook, as bitsandbytes does.
 *
 * @throws QuantizationError for values that are not finite.
 */
export function quantizeBnb4(values: Float32Array, { format, blockSize = 64 }: Bnb4Options): Bnb4Array {
  const { lower, upper, bound } = tables[format];
  const count = values.length;
  const packed = new Uint8Array(Math.ceil(count / 2));
  const absmax = new Float32Array(Math.ceil(count / blockSize));
  let sumOfDefects = 0;
  for (let block = 0; block < absmax.length; block++) {
    const begin = block * blockSize;
    const end = Math.min(begin + blockSize, count);
    let largest = 0;
    for (let i = begin; i < end; i++) {
      const value = values[i]!;
      const magnitude = value < 0 ? -value : value;
      if (magnitude > largest) largest = magnitude;
      sumOfDefects += value - value; // NaN where a value is not finite
    }
    absmax[block] = largest;
    const reciprocal = Math.fround(1 / largest);
    // A block of zeros, or of numbers too small to have a reciprocal: bitsandbytes gives it code 0.
    if (!Number.isFinite(reciprocal)) {
      absmax[block] = 0;
      continue;
    }
    for (let i = begin; i < end; i += 2) {
      // Beyond the last of an odd number of elements there is a 0, as bitsandbytes has it.
      const x = clamped(values[i]! * reciprocal);
      const y = i + 1 < end ? clamped(values[i + 1]! * reciprocal) : 0;
      const [xCell, yCell] = [cellOf(x), cellOf(y)];
      const high = x > bound[xCell]! ? upper[xCell]! : lower[xCell]!;
      const low = y > bound[yCell]! ? upper[yCell]! : lower[yCell]!;
      packed[i >> 1] = (high << 4) | low;
    }
  }
  if (sumOfDefects !== 0) requireFinite('quantizeBnb4', values);
  return { packed, absmax };
}

/**
 * The values behind a 4-bit tensor.
 *
 * @param count number of elements.
 * @throws ShapeError if there are not as many codes or scales as they need.
 */
export function dequantizeBnb4(
  { packed, absmax }: Bnb4Array,
  count: number,
  { format, blockSize = 64 }: Bnb4Options,
): Float32Array {
  if (packed.length !== Math.ceil(count / 2) || absmax.length !== Math.ceil(count / blockSize)) {
    throw new ShapeError({
      operation: 'dequantizeBnb4',
      expected: `${Math.ceil(count / 2)} bytes and ${Math.ceil(count / blockSize)} scales for ${count} elements`,
      received: [[packed.length], [absmax.length]],
    });
  }
  const codebook = codebooks[format];
  const values = new Float32Array(count);
  for (let block = 0; block < absmax.length; block++) {
    const scale = absmax[block]!;
    const end = Math.min((block + 1) * blockSize, count);
    for (let i = block * blockSize; i < end; i++) {
      const byte = packed[i >> 1]!;
      values[i] = codebook[i % 2 === 0 ? byte >> 4 : byte & 15]! * scale;
    }
  }
  return values;
}

/**
 * @internal Checks that a stored table of 16 values is that of a format.
 *
 * @throws QuantizationError if it is another.
 */
export function requireCodebook(operation: string, format: Bnb4Format, stored: Float32Array): void {
  const codebook = codebooks[format];
  const fits =
    stored.length === codebook.length && stored.every((value, code) => Math.abs(value - codebook[code]!) < 1e-6);
  if (fits) return;
  throw new QuantizationError({
    operation,
    expected: `the ${codebook.length} values of ${format}`,
    received: `${stored.length} others, ${Array.from(stored.subarray(0, 4)).join(', ')}, …`,
    remedy: 'Only the published tables of nf4 and fp4 are known.',
  });
}
