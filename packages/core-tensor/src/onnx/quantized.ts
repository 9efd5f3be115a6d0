import { type Shape, sizeOf } from '../graph/shape.js';
import type { MatmulNBitsAttributes } from '../primitives/attributes.js';
import { codebooks } from '../quantization/codebook.js';
import type { OnnxBuilder } from './builder.js';
import type { LoweringContext } from './lowering.js';
import { elementTypes } from './schema.js';

const domain = 'com.microsoft';

/** Largest block that ONNX Runtime's kernels know. A larger one is the same as several with equal scales. */
const largestBlock = 256;

/**
 * Up to so many rows an exact product with 8-bit codes is made of two with 4-bit codes. For 8 bits the CPU has no exact
 * kernel and decodes the whole weight each time: at one row, 2048 × 2048, 2.4 ms instead of 0.18 ms; at 64 rows equal.
 */
const rowsInHalves = 64;

/** Names of a weight's parts in a graph. */
interface NBitsNames {
  /** uint8 [outputs, blocks, blockSize · bits / 8] */
  readonly packed: string;
  /** [outputs, blocks] */
  readonly scales: string;
  readonly zeroPoints: string | undefined;
  readonly outputs: number;
  readonly blocks: number;
  readonly bits: 4 | 8;
  readonly blockSize: number;
}

export function lowerMatmulNBits({ node, inputs, shapes, builder }: LoweringContext<'matmulNBits'>): string {
  const [x, packed, scales, zeroPoints] = inputs as [string, string, string, string?];
  const { bits, blockSize, accuracyLevel } = node.attributes;
  const [outputs, blocks] = shapes[2] as [number, number];
  const columns = shapes[0]!.at(-1)!;
  const given = { packed, scales, zeroPoints, outputs, blocks, bits, blockSize };
  const weight = blockSize > largestBlock ? withSmallerBlocks(builder, given, columns) : given;
  const level = allowedLevel(builder, inputs.slice(1), accuracyLevel);
  const rows = sizeOf(shapes[0]!.slice(0, -1));
  if (bits === 8 && level === 1 && rows <= rowsInHalves) return multiplyInHalves(builder, x, columns, weight);
  return multiply(builder, x, columns, weight, level);
}

/**
 * Level 4 where it may be used. The kernel arranges codes, scales and zero points beforehand, and computes something else
 * where one of them is no constant (measured with onnxruntime 1.30).
 */
function allowedLevel(
  builder: OnnxBuilder,
  weight: readonly string[],
  wanted: MatmulNBitsAttributes['accuracyLevel'],
): MatmulNBitsAttributes['accuracyLevel'] {
  return weight.every((name) => builder.isConstant(name)) ? wanted : 1;
}

function multiply(
  builder: OnnxBuilder,
  x: string,
  columns: number,
  { packed, scales, zeroPoints, outputs, bits, blockSize }: NBitsNames,
  accuracyLevel: number,
): string {
  return builder.emit(
    'MatMulNBits',
    zeroPoints === undefined ? [x, packed, scales] : [x, packed, scales, zeroPoints],
    {
      K: { int: columns },
      N: { int: outputs },
      bits: { int: bits },
      block_size: { int: blockSize },
      accuracy_level: { int: accuracyLevel },
    },
    domain,
  );
}

/** (16·high + low − zero)·scale = (high − zero's high)·16·scale + (low − zero's low)·scale */
function multiplyInHalves(builder: OnnxBuilder, x: string, columns: number, weight: NBitsNames): string {
  const { packed, scales, zeroPoints, outputs, blocks, blockSize } = weight;
  const codes = splitBytes(builder, packed, [outputs, blocks * blockSize]);
  const halfShape = [outputs, blocks, blockSize / 2];
  // Without zero points they are 128, so 8 for the high half, which is the default for 4 bits, and 0 for the low one.
  const zeros =
    zeroPoints === undefined
      ? { high: undefined, low: zeroBytes(builder, [outputs, Math.ceil(blocks / 2)]) }
      : splitBytes(builder, toEven(builder, zeroPoints, blocks), [outputs, blocks + (blocks % 2)]);
  const part = (codesOfPart: string, scalesOfPart: string, zerosOfPart: string | undefined) =>
    multiply(
      builder,
      x,
      columns,
      {
        ...weight,
        bits: 4,
        packed: reshape(builder, codesOfPart, halfShape),
        scales: scalesOfPart,
        zeroPoints: zerosOfPart,
      },
      1,
    );
  const high = part(codes.high, builder.emit('Mul', [scales, builder.scalar(16, 'float32')]), zeros.high);
  const low = part(codes.low, scales, zeros.low);
  return builder.emit('Add', [high, low]);
}

export function lowerMatmulBnb4({ node, inputs, shapes, builder }: LoweringContext<'matmulBnb4'>): string {
  const [x, packed, absmax] = inputs as [string, string, string];
  const { format, blockSize, outputs, accuracyLevel } = node.attributes;
  const columns = shapes[0]!.at(-1)!;
  const [blocks] = shapes[2] as [number];
  const level = allowedLevel(builder, [packed, absmax], accuracyLevel);
  const common = Math.min(largestBlock, commonPowerOfTwo(columns, blockSize));
  if (level === 4 && common >= 16) {
    const weight = asNBits(builder, { packed, absmax, blocks, blockSize, outputs, columns }, format, common);
    return multiply(builder, x, columns, weight, level);
  }
  const size = Math.min(blockSize, largestBlock);
  const count = Math.ceil((outputs * columns) / size);
  const scales = repeatEach(builder, absmax, [blocks], blockSize / size);
  return builder.emit(
    'MatMulBnb4',
    [x, packed, slice(builder, scales, 0, count)],
    {
      K: { int: columns },
      N: { int: outputs },
      block_size: { int: size },
      quant_type: { int: format === 'nf4' ? 1 : 0 },
    },
    domain,
  );
}

/** Values of a codebook rounded to multiples of 1/127, in blocks that end where a row ends. */
function asNBits(
  builder: OnnxBuilder,
  {
    packed,
    absmax,
    blocks,
    blockSize,
    outputs,
    columns,
  }: {
    readonly packed: string;
    readonly absmax: string;
    readonly blocks: number;
    readonly blockSize: number;
    readonly outputs: number;
    readonly columns: number;
  },
  format: keyof typeof codebooks,
  size: number,
): NBitsNames {
  const rounded = Array.from(codebooks[format], (value) => 128 + Math.round(value * 127));
  const table = Uint8Array.from(
    Array.from({ length: 256 }, (_, byte) => [rounded[byte >> 4]!, rounded[byte & 15]!]).flat(),
  );
  const places = builder.emit('Cast', [packed], { to: { int: elementTypes.int32 } });
  const codes = builder.emit('Gather', [builder.constant(table, [256, 2], 'uint8'), places], { axis: { int: 0 } });
  const perRow = columns / size;
  const each = slice(builder, repeatEach(builder, absmax, [blocks], blockSize / size), 0, outputs * perRow);
  const scales = builder.emit('Div', [each, builder.scalar(127, 'float32')]);
  return {
    packed: reshape(builder, codes, [outputs, perRow, size]),
    scales: reshape(builder, scales, [outputs, perRow]),
    zeroPoints: undefined,
    outputs,
    blocks: perRow,
    bits: 8,
    blockSize: size,
  };
}

/** The same weight in blocks of {@link largestBlock}. */
function withSmallerBlocks(builder: OnnxBuilder, weight: NBitsNames, columns: number): NBitsNames {
  const { packed, scales, zeroPoints, outputs, blocks, bits, blockSize } = weight;
  const times = blockSize / largestBlock;
  // Blocks that hold nothing but the filling are left out.
  const kept = Math.ceil(columns / largestBlock);
  const repeated = repeatEach(builder, scales, [outputs, blocks], times);
  return {
    ...weight,
    packed: slice(builder, reshape(builder, packed, [outputs, blocks * times, (largestBlock * bits) / 8]), 1, kept),
    scales: slice(builder, repeated, 1, kept),
    zeroPoints: zeroPoints && repeatZeroPoints(builder, zeroPoints, weight, times, kept),
    blocks: kept,
    blockSize: largestBlock,
  };
}

function repeatZeroPoints(
  builder: OnnxBuilder,
  zeroPoints: string,
  { outputs, blocks, bits }: NBitsNames,
  times: number,
  kept: number,
): string {
  if (bits === 8) return slice(builder, repeatEach(builder, zeroPoints, [outputs, blocks], times), 1, kept);
  // Twice the same half in each byte, and that half as often.
  const bytes = Math.ceil(blocks / 2);
  const [low, high] = halvesOf(builder, zeroPoints);
  const both = [low, high].map((half) => reshape(builder, packHalves(builder, half, half), [outputs, bytes, 1]));
  const inOrder = reshape(builder, builder.emit('Concat', both, { axis: { int: 2 } }), [outputs, 2 * bytes]);
  return slice(builder, repeatEach(builder, inOrder, [outputs, 2 * bytes], times / 2), 1, Math.ceil(kept / 2));
}

/** The low and the high halves of bytes [rows, count], packed as 4-bit codes: [rows, count / 2] each. */
function splitBytes(
  builder: OnnxBuilder,
  bytes: string,
  [rows, count]: readonly [number, number],
): { readonly low: string; readonly high: string } {
  const inPairs = reshape(builder, bytes, [rows, count / 2, 2]);
  const [first, second] = [0, 1].map((place) => {
    const part = builder.emit('Gather', [inPairs, builder.integers([place])], { axis: { int: 2 } });
    return halvesOf(builder, reshape(builder, part, [rows, count / 2]));
  }) as [readonly [string, string], readonly [string, string]];
  return {
    low: packHalves(builder, first[0], second[0]),
    high: packHalves(builder, first[1], second[1]),
  };
}

function halvesOf(builder: OnnxBuilder, bytes: string): readonly [low: string, high: string] {
  return [
    builder.emit('BitwiseAnd', [bytes, byte(builder, 15)]),
    builder.emit('BitShift', [bytes, byte(builder, 4)], { direction: { string: 'RIGHT' } }),
  ];
}

function packHalves(builder: OnnxBuilder, low: string, high: string): string {
  const shifted = builder.emit('BitShift', [high, byte(builder, 4)], { direction: { string: 'LEFT' } });
  return builder.emit('BitwiseOr', [low, shifted]);
}

function byte(builder: OnnxBuilder, value: number): string {
  return builder.constant(Uint8Array.of(value), [], 'uint8');
}

function zeroBytes(builder: OnnxBuilder, shape: Shape): string {
  return builder.constant(new Uint8Array(sizeOf(shape)), shape, 'uint8');
}

/** Bytes [rows, count] with one more in each row if their number is odd. */
function toEven(builder: OnnxBuilder, bytes: string, count: number): string {
  return count % 2 === 0 ? bytes : builder.emit('Pad', [bytes, builder.integers([0, 0, 0, 1]), byte(builder, 0)]);
}

/** Each element of the last axis `times` times: [a, b] → [a, a, b, b]. */
function repeatEach(builder: OnnxBuilder, values: string, shape: Shape, times: number): string {
  if (times === 1) return values;
  const spread = builder.emit('Expand', [reshape(builder, values, [...shape, 1]), builder.integers([...shape, times])]);
  return reshape(builder, spread, [...shape.slice(0, -1), shape.at(-1)! * times]);
}

function reshape(builder: OnnxBuilder, values: string, shape: Shape): string {
  return builder.emit('Reshape', [values, builder.integers(shape)], { allowzero: { int: 1 } });
}

/** The first `count` places along an axis. */
function slice(builder: OnnxBuilder, values: string, axis: number, count: number): string {
  return builder.emit('Slice', [values, builder.integers([0]), builder.integers([count]), builder.integers([axis])]);
}

/** The largest power of two that divides both. */
function commonPowerOfTwo(a: number, b: number): number {
  let common = 1;
  while (a % (2 * common) === 0 && b % (2 * common) === 0) common *= 2;
  return common;
}
