import { type AnyTypedArray, allocate, isFloating, type StorageDType, type TypedArrayOf } from './dtype.js';
import { float8ToFloat32, float32ToFloat8 } from './float8.js';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.js';

type NumberArray = Exclude<AnyTypedArray, BigInt64Array | BigUint64Array>;
type IntegerDType = 'int32' | 'int16' | 'int8' | 'uint32' | 'uint16' | 'uint8';

const integerRanges: { readonly [D in IntegerDType]: readonly [least: number, greatest: number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-32768, 32767],
  int8: [-128, 127],
  uint32: [0, 2 ** 32 - 1],
  uint16: [0, 65535],
  uint8: [0, 255],
};

function isBigInts(data: AnyTypedArray): data is BigInt64Array | BigUint64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

/** Low and high 32-bit words of 64-bit integers, interleaved; avoids one heap number an element. */
function wordPairs(data: BigInt64Array | BigUint64Array): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
}

function bigIntsToFloat64(data: BigInt64Array | BigUint64Array): Float64Array {
  const words = wordPairs(data);
  const signed = data instanceof BigInt64Array;
  const values = new Float64Array(data.length);
  for (let i = 0; i < values.length; i++) {
    const high = words[2 * i + 1]!;
    values[i] = (signed ? high | 0 : high) * 2 ** 32 + words[2 * i]!;
  }
  return values;
}

function lowWords(data: BigInt64Array | BigUint64Array): Uint32Array {
  const words = wordPairs(data);
  const low = new Uint32Array(data.length);
  for (let i = 0; i < low.length; i++) {
    low[i] = words[2 * i]!;
  }
  return low;
}

/** Bit patterns of small floats become the numbers they stand for; everything else is already numbers. */
function decode(data: AnyTypedArray, from: StorageDType): AnyTypedArray {
  switch (from) {
    case 'float16':
      return float16ToFloat32(data as Uint16Array);
    case 'bfloat16':
      return bfloat16ToFloat32(data as Uint16Array);
    case 'float8_e4m3':
    case 'float8_e5m2':
      return float8ToFloat32(data as Uint8Array, from);
    default:
      return data;
  }
}

function toFloat32(values: AnyTypedArray): Float32Array {
  if (values instanceof Float32Array) {
    return values;
  }
  return new Float32Array(isBigInts(values) ? bigIntsToFloat64(values) : values);
}

function toBool(values: AnyTypedArray): Uint8Array {
  if (isBigInts(values)) {
    return Uint8Array.from(values, (value) => (value === 0n ? 0 : 1));
  }
  return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
}

function toInteger(values: AnyTypedArray, to: IntegerDType, fromFloat: boolean): AnyTypedArray {
  const target = allocate(to, values.length);
  if (isBigInts(values)) {
    target.set(lowWords(values)); // typed-array assignment keeps the low bits
  } else if (fromFloat) {
    const [least, greatest] = integerRanges[to];
    for (let i = 0; i < target.length; i++) {
      target[i] = Math.min(Math.max(values[i]!, least), greatest); // assignment truncates; NaN becomes 0
    }
  } else {
    target.set(values);
  }
  return target;
}

function toBigInts(values: NumberArray, to: 'int64' | 'uint64', fromFloat: boolean): BigInt64Array | BigUint64Array {
  const target = allocate(to, values.length);
  if (!fromFloat) {
    const words = wordPairs(target);
    for (let i = 0; i < values.length; i++) {
      words[2 * i] = values[i]!;
      words[2 * i + 1] = values[i]! < 0 ? 0xffffffff : 0;
    }
    return target;
  }
  const least = to === 'int64' ? -(2n ** 63n) : 0n;
  const greatest = to === 'int64' ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value >= 2 ** 63 || value <= -(2 ** 63)) {
      const exact = Number.isFinite(value) ? BigInt(value) : value > 0 ? greatest : least;
      target[i] = exact > greatest ? greatest : exact < least ? least : exact;
    } else {
      const whole = Number.isNaN(value) ? 0n : BigInt(Math.trunc(value));
      target[i] = whole < least ? least : whole;
    }
  }
  return target;
}

/**
 * Elements of one dtype as another.
 *
 * Floats round to nearest, ties to even (float64 reaches the 16-bit and 8-bit floats through float32, as in
 * PyTorch). Integers become narrower integers by keeping the low bits. Floats become integers by truncation towards
 * zero, clamped to the range of the target, NaN as 0. Anything but zero is `true`.
 *
 * @returns `data` itself where `from` equals `to`, else a new array of the same length
 */
export function convert<F extends StorageDType, T extends StorageDType>(
  data: TypedArrayOf<F>,
  from: F,
  to: T,
): TypedArrayOf<T> {
  return convertAny(data, from, to) as TypedArrayOf<T>;
}

function convertAny(data: AnyTypedArray, from: StorageDType, to: StorageDType): AnyTypedArray {
  if ((from as string) === to) {
    return data;
  }
  const values = decode(data, from);
  const fromFloat = isFloating(from);
  switch (to) {
    case 'float32':
      return toFloat32(values);
    case 'float64':
      return isBigInts(values) ? bigIntsToFloat64(values) : new Float64Array(values);
    case 'float16':
      return float32ToFloat16(toFloat32(values));
    case 'bfloat16':
      return float32ToBfloat16(toFloat32(values));
    case 'float8_e4m3':
    case 'float8_e5m2':
      return float32ToFloat8(toFloat32(values), to);
    case 'bool':
      return toBool(values);
    case 'int64':
      return isBigInts(values) ? new BigInt64Array(values) : toBigInts(values, to, fromFloat);
    case 'uint64':
      return isBigInts(values) ? new BigUint64Array(values) : toBigInts(values, to, fromFloat);
    default:
      return toInteger(values, to, fromFloat);
  }
}
