import type { AnyTypedArray } from '../dtype.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { roundCodebook, splitBytes } from './arrange-codes.js';
import type { OnnxBuilder } from './builder.js';
import type { LoweringContext } from './lowering.js';

const domain = 'com.microsoft';

/** Largest block that ONNX Runtime's kernels know. A larger one is the same as several with equal scales. */
const largestBlock = 256;

/**
 * Up to so many rows an exact product with 8-bit codes is made of two with 4-bit codes. For 8 bits the CPU has no exact
 * kernel and decodes the whole weight each time: at one row, 2048 × 2048, 2.4 ms instead of 0.18 ms; at 64 rows equal.
 */
const rowsInHalves = 64;

// Codes are arranged here, not by operations on constants: the runtime would compute these when it loads the model, and
// keep every intermediate result until then, ten times the bytes of the weights.

/** A weight's parts in a graph, by name. */
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
  const level = mayBeFast(builder, inputs.slice(1)) ? accuracyLevel : 1;
  const rows = sizeOf(shapes[0]!.slice(0, -1));
  const halves = bits === 8 && level === 1 && rows <= rowsInHalves ? inHalves(builder, weight) : undefined;
  if (!halves) return multiply(builder, x, columns, weight, level);
  const [high, low] = halves.map((half) => multiply(builder, x, columns, half, level)) as [string, string];
  return builder.emit('Add', [high, low]);
}

export function lowerMatmulBnb4({ node, inputs, shapes, builder }: LoweringContext<'matmulBnb4'>): string {
  const [x, packed, absmax] = inputs as [string, string, string];
  const { format, blockSize, outputs, accuracyLevel } = node.attributes;
  const columns = shapes[0]!.at(-1)!;
  const [blocks] = shapes[2] as [number];
  const count = outputs * columns;
  const codes = builder.constantData(packed);
  // Blocks that end where a row ends.
  const common = Math.min(largestBlock, commonPowerOfTwo(columns, blockSize));
  if (accuracyLevel === 4 && common >= 16 && codes && mayBeFast(builder, [absmax])) {
    const perRow = columns / common;
    const each = firstOf(builder, repeatEach(builder, absmax, [blocks], blockSize / common), 0, outputs * perRow);
    const scales = builder.emit('Div', [each, builder.scalar(127, 'float32')]);
    const bytes = roundCodebook(codes as Uint8Array, count, format);
    const weight = {
      packed: builder.constant(bytes, [outputs, perRow, common], 'uint8'),
      scales: reshape(builder, scales, [outputs, perRow]),
      zeroPoints: undefined,
      outputs,
      blocks: perRow,
      bits: 8,
      blockSize: common,
    } as const;
    return multiply(builder, x, columns, weight, accuracyLevel);
  }
  const size = Math.min(blockSize, largestBlock);
  const scales = repeatEach(builder, absmax, [blocks], blockSize / size);
  return builder.emit(
    'MatMulBnb4',
    [x, packed, size === blockSize ? scales : firstOf(builder, scales, 0, Math.ceil(count / size))],
    {
      K: { int: columns },
      N: { int: outputs },
      block_size: { int: size },
      quant_type: { int: format === 'nf4' ? 1 : 0 },
    },
    domain,
  );
}

/**
 * Whether the fast product can be used. Its kernel arranges codes, scales and zero points beforehand, and computes
 * something else where one of them is no constant (measured with onnxruntime 1.30).
 */
function mayBeFast(builder: OnnxBuilder, weight: readonly string[]): boolean {
  return weight.every((name) => builder.isConstant(name));
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

/**
 * An 8-bit weight as the sum of two with 4-bit codes: (16·high + low − zero)·scale = (high − zero's high)·16·scale +
 * (low − zero's low)·scale. Undefined where codes are no constants.
 */
function inHalves(builder: OnnxBuilder, weight: NBitsNames): readonly [NBitsNames, NBitsNames] | undefined {
  const { packed, scales, zeroPoints, outputs, blocks, blockSize } = weight;
  const codes = builder.constantData(packed) as Uint8Array | undefined;
  const zeros = zeroPoints === undefined ? undefined : (builder.constantData(zeroPoints) as Uint8Array | undefined);
  if (!codes || (zeroPoints !== undefined && !zeros)) return undefined;
  const { high, low } = splitBytes(codes, [outputs, blocks * blockSize]);
  const half = (part: Uint8Array, scalesOfPart: string, zerosOfPart: Uint8Array | undefined): NBitsNames => ({
    ...weight,
    bits: 4,
    packed: builder.constant(part, [outputs, blocks, blockSize / 2], 'uint8'),
    scales: scalesOfPart,
    zeroPoints: zerosOfPart && builder.constant(zerosOfPart, [outputs, Math.ceil(blocks / 2)], 'uint8'),
  });
  // Without zero points they are 128: 8 for the high half, which is the default for 4 bits, and 0 for the low one.
  const halvesOfZeros = zeros
    ? splitBytes(zeros, [outputs, blocks])
    : { high: undefined, low: new Uint8Array(outputs * Math.ceil(blocks / 2)) };
  const sixteenfold = builder.emit('Mul', [scales, builder.scalar(16, 'float32')]);
  return [half(high, sixteenfold, halvesOfZeros.high), half(low, scales, halvesOfZeros.low)];
}

/** The same weight in blocks of {@link largestBlock}. Blocks that would hold nothing but the filling are left out. */
function withSmallerBlocks(builder: OnnxBuilder, weight: NBitsNames, columns: number): NBitsNames {
  const { packed, scales, zeroPoints, outputs, blocks, bits, blockSize } = weight;
  const times = blockSize / largestBlock;
  const kept = Math.ceil(columns / largestBlock);
  const bytes = (largestBlock * bits) / 8;
  return {
    ...weight,
    packed: withoutFilling(builder, packed, outputs, blocks * times, kept, bytes),
    scales: firstOf(builder, repeatEach(builder, scales, [outputs, blocks], times), 1, kept),
    zeroPoints: zeroPoints && repeatZeroPoints(builder, zeroPoints, weight, times, kept),
    blocks: kept,
    blockSize: largestBlock,
  };
}

/** Codes [outputs, ⌈…⌉] as [outputs, kept, bytes], the first `kept` of each row's `blocks`. */
function withoutFilling(
  builder: OnnxBuilder,
  packed: string,
  outputs: number,
  blocks: number,
  kept: number,
  bytes: number,
): string {
  const codes = builder.constantData(packed) as Uint8Array | undefined;
  if (!codes) return firstOf(builder, reshape(builder, packed, [outputs, blocks, bytes]), 1, kept);
  if (kept === blocks) return builder.constant(codes, [outputs, blocks, bytes], 'uint8');
  const rest = new Uint8Array(outputs * kept * bytes);
  for (let row = 0; row < outputs; row++) {
    const begin = row * blocks * bytes;
    rest.set(codes.subarray(begin, begin + kept * bytes), row * kept * bytes);
  }
  return builder.constant(rest, [outputs, kept, bytes], 'uint8');
}

function repeatZeroPoints(
  builder: OnnxBuilder,
  zeroPoints: string,
  { outputs, blocks, bits }: NBitsNames,
  times: number,
  kept: number,
): string {
  if (bits === 8) return firstOf(builder, repeatEach(builder, zeroPoints, [outputs, blocks], times), 1, kept);
  // Twice the same half in each byte, and that half as often.
  const bytes = Math.ceil(blocks / 2);
  const low = builder.emit('BitwiseAnd', [zeroPoints, byte(builder, 15)]);
  const high = shift(builder, zeroPoints, 'RIGHT');
  const both = [low, high].map((half) =>
    reshape(builder, builder.emit('BitwiseOr', [half, shift(builder, half, 'LEFT')]), [outputs, bytes, 1]),
  );
  const inOrder = reshape(builder, builder.emit('Concat', both, { axis: { int: 2 } }), [outputs, 2 * bytes]);
  return firstOf(builder, repeatEach(builder, inOrder, [outputs, 2 * bytes], times / 2), 1, Math.ceil(kept / 2));
}

/** Bytes shifted by half their bits. */
function shift(builder: OnnxBuilder, bytes: string, direction: 'LEFT' | 'RIGHT'): string {
  return builder.emit('BitShift', [bytes, byte(builder, 4)], { direction: { string: direction } });
}

function byte(builder: OnnxBuilder, value: number): string {
  const data: AnyTypedArray = Uint8Array.of(value);
  return builder.constant(data, [], 'uint8');
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
function firstOf(builder: OnnxBuilder, values: string, axis: number, count: number): string {
  return builder.emit('Slice', [values, builder.integers([0]), builder.integers([count]), builder.integers([axis])]);
}

/** The largest power of two that divides both. */
function commonPowerOfTwo(a: number, b: number): number {
  let common = 1;
  while (a % (2 * common) === 0 && b % (2 * common) === 0) common *= 2;
  return common;
}
