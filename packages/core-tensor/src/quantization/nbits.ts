import { ShapeError } from '../errors.js';
import { requireFinite } from './quantization-error.js';

/** Sizes of a weight. */
export type MatrixShape = readonly [rows: number, columns: number];

/** How blocks of {@link NBitsMatrix} are made. */
export interface NBitsOptions {
  readonly bits: 4 | 8;
  /** Elements that share a scale, consecutive within a row. A power of two, at least 16. */
  readonly blockSize: number;
}

/**
 * A matrix [rows, columns] in few bits, in the layout of ONNX Runtime's MatMulNBits (docs/ContribOperators.md): blocks
 * run along the columns, the last one of a row filled up with zeros. value = (code − zero point) · scale.
 */
export interface NBitsMatrix {
  /** [rows, blocks, blockSize · bits / 8]; of 4-bit codes the first is in the low half of a byte. */
  readonly packed: Uint8Array;
  /** [rows, blocks] */
  readonly scales: Float32Array;
  /** [rows, ⌈blocks · bits / 8⌉], packed likewise; without them they are 2^(bits − 1). */
  readonly zeroPoints?: Uint8Array | undefined;
}

/** Number of blocks in a row. */
export function blocksPerRow(columns: number, { blockSize }: Pick<NBitsOptions, 'blockSize'>): number {
  return Math.ceil(columns / blockSize);
}

/**
 * Quantizes a matrix block by block with the rounding of ONNX Runtime's tool (onnxruntime/core/mlas/lib/q4_dq.cpp).
 *
 * Symmetric: scale = m / −2^(bits − 1), where m is the element of largest magnitude with its sign, so that this one
 * is exact. Otherwise: scale = (high − low) / (2^bits − 1) with low = min(0, least), high = max(0, greatest), and
 * zero point = −low / scale, rounded. Halves are rounded away from zero.
 *
 * @param values row-major, [rows, columns].
 * @throws ShapeError if their number is not that of the shape; QuantizationError for values that are not finite.
 */
export function quantizeNBits(
  values: Float32Array,
  shape: MatrixShape,
  options: NBitsOptions & { readonly symmetric: boolean },
): NBitsMatrix {
  requireSize('quantizeNBits', values, shape);
  const { bits, blockSize, symmetric } = options;
  const [rows, columns] = shape;
  const blocks = blocksPerRow(columns, options);
  const levels = 2 ** bits;
  const middle = levels / 2;
  const packed = new Uint8Array((rows * blocks * blockSize * bits) / 8);
  const scales = new Float32Array(rows * blocks);
  // The unused half of a row's last byte holds the middle, as if it belonged to a block without zero point.
  const zeroPoints = symmetric ? undefined : new Uint8Array(rows * zeroBytes(blocks, bits)).fill(bits === 4 ? 0x88 : 0);
  let sumOfDefects = 0;
  for (let row = 0; row < rows; row++) {
    const rowEnd = (row + 1) * columns;
    for (let block = 0; block < blocks; block++) {
      const begin = row * columns + block * blockSize;
      const end = Math.min(begin + blockSize, rowEnd);
      let least = Number.POSITIVE_INFINITY;
      let greatest = Number.NEGATIVE_INFINITY;
      for (let i = begin; i < end; i++) {
        const value = values[i]!;
        if (value < least) least = value;
        if (value > greatest) greatest = value;
        sumOfDefects += value - value; // NaN where a value is not finite
      }
      let scale: number;
      let zero = middle;
      if (zeroPoints) {
        const low = Math.min(least, 0);
        scale = Math.fround(Math.fround(Math.max(greatest, 0) - low) / (levels - 1));
        zero = scale === 0 ? 0 : Math.min(levels - 1, Math.floor(Math.fround(-low / scale) + 0.5));
        setZeroPoint(zeroPoints, row, block, blocks, bits, zero);
      } else {
        scale = Math.fround((Math.abs(greatest) > Math.abs(least) ? greatest : least) / -middle);
      }
      scales[row * blocks + block] = scale;
      const inverse = inverseOf(scale);
      const start = ((row * blocks + block) * blockSize * bits) / 8;
      if (bits === 4) encodeHalves(values, begin, end, inverse, zero, packed, start);
      else encodeBytes(values, begin, end, inverse, zero, packed, start);
    }
  }
  if (sumOfDefects !== 0) requireFinite('quantizeNBits', values);
  return { packed, scales, zeroPoints };
}

/** The float matrix [rows, columns] behind a quantized one, row-major. */
export function dequantizeNBits(
  { packed, scales, zeroPoints }: NBitsMatrix,
  shape: MatrixShape,
  options: NBitsOptions,
): Float32Array {
  const { bits, blockSize } = options;
  const [rows, columns] = shape;
  const blocks = blocksPerRow(columns, options);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const scale = scales[row * blocks + block]!;
      const zero = zeroPoints ? zeroPoint(zeroPoints, row, block, blocks, bits) : 2 ** (bits - 1);
      const begin = row * columns + block * blockSize;
      const end = Math.min(begin + blockSize, (row + 1) * columns);
      let from = ((row * blocks + block) * blockSize * bits) / 8;
      if (bits === 8) {
        for (let i = begin; i < end; i++) values[i] = (packed[from++]! - zero) * scale;
        continue;
      }
      for (let i = begin; i < end; i += 2) {
        const byte = packed[from++]!;
        values[i] = ((byte & 15) - zero) * scale;
        if (i + 1 < end) values[i + 1] = ((byte >> 4) - zero) * scale;
      }
    }
  }
  return values;
}

/** @internal Rows `begin` to `end` (exclusive) of a quantized matrix, without a copy. */
export function rowsOfNBits(
  { packed, scales, zeroPoints }: NBitsMatrix,
  columns: number,
  options: NBitsOptions,
  begin: number,
  end: number,
): NBitsMatrix {
  const blocks = blocksPerRow(columns, options);
  const bytes = (blocks * options.blockSize * options.bits) / 8;
  const zeros = zeroBytes(blocks, options.bits);
  return {
    packed: packed.subarray(begin * bytes, end * bytes),
    scales: scales.subarray(begin * blocks, end * blocks),
    zeroPoints: zeroPoints?.subarray(begin * zeros, end * zeros),
  };
}

/** @internal Bytes of a row's zero points. */
export function zeroBytes(blocks: number, bits: 4 | 8): number {
  return Math.ceil((blocks * bits) / 8);
}

function zeroPoint(zeroPoints: Uint8Array, row: number, block: number, blocks: number, bits: 4 | 8): number {
  if (bits === 8) return zeroPoints[row * blocks + block]!;
  const byte = zeroPoints[row * zeroBytes(blocks, bits) + (block >> 1)]!;
  return block % 2 === 0 ? byte & 15 : byte >> 4;
}

function setZeroPoint(
  zeroPoints: Uint8Array,
  row: number,
  block: number,
  blocks: number,
  bits: 4 | 8,
  zero: number,
): void {
  if (bits === 8) {
    zeroPoints[row * blocks + block] = zero;
    return;
  }
  const place = row * zeroBytes(blocks, bits) + (block >> 1);
  const byte = zeroPoints[place]!;
  zeroPoints[place] = block % 2 === 0 ? (byte & 0xf0) | zero : (byte & 15) | (zero << 4);
}

// The sums are those of float32, rounded after each operation; codes below 0 come out as 0 or less, halves go up.

/** Twice as fast here as Math.min and Math.max. */
function clamped(code: number, highest: number): number {
  if (code < 0) return 0;
  if (code > highest) return highest;
  return code;
}

function encodeHalves(
  values: Float32Array,
  begin: number,
  end: number,
  inverse: number,
  zero: number,
  packed: Uint8Array,
  start: number,
): void {
  let to = start;
  let i = begin;
  for (; i + 1 < end; i += 2) {
    const low = (Math.fround(Math.fround(values[i]! * inverse) + zero) + 0.5) | 0;
    const high = (Math.fround(Math.fround(values[i + 1]! * inverse) + zero) + 0.5) | 0;
    packed[to++] = clamped(low, 15) | (clamped(high, 15) << 4);
  }
  if (i < end) {
    const low = (Math.fround(Math.fround(values[i]! * inverse) + zero) + 0.5) | 0;
    packed[to] = clamped(low, 15);
  }
}

function encodeBytes(
  values: Float32Array,
  begin: number,
  end: number,
  inverse: number,
  zero: number,
  packed: Uint8Array,
  start: number,
): void {
  let to = start;
  for (let i = begin; i < end; i++) {
    const code = (Math.fround(Math.fround(values[i]! * inverse) + zero) + 0.5) | 0;
    packed[to++] = clamped(code, 255);
  }
}

/** 1 / scale in float32; 0 where there is none, which makes all codes of the block the zero point. */
function inverseOf(scale: number): number {
  const inverse = Math.fround(1 / scale);
  return Number.isFinite(inverse) ? inverse : 0;
}

/** @internal Fails unless there are as many values as the shape has elements. */
export function requireSize(operation: string, values: Float32Array, [rows, columns]: MatrixShape): void {
  if (values.length === rows * columns) return;
  throw new ShapeError({
    operation,
    expected: `${rows * columns} values for a matrix of ${rows} rows and ${columns} columns`,
    received: [[values.length]],
  });
}
