import { type AnyTypedArray, allocate, byteSize, type StorageDType, viewAs } from '../../dtype.js';
import { formatShape } from '../../errors.js';
import { type Shape, sizeOf } from '../../graph/shape.js';
import {
  bitsOf,
  describeElementType,
  type ElementType,
  elementTypeOf,
  storageOf,
  storedBytes,
  supportedElementTypes,
} from './element-types.js';
import type { ModelSource } from './model-source.js';
import { OnnxError } from './onnx-error.js';
import { type Integer64, wholeNumber } from './whole-number.js';

/** A tensor that a model holds, or that lies in a file beside it. */
export interface StoredTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
  /** The elements in an array of {@link storageOf} the type. Large ones of a file are read from it again each time. */
  read(): AnyTypedArray;
}

/** A decoded `TensorProto`. */
export interface TensorMessage {
  readonly name: string;
  readonly dims: readonly Integer64[];
  readonly data_type: number;
  readonly raw_data: Uint8Array;
  readonly float_data: readonly number[];
  readonly int32_data: readonly number[];
  readonly int64_data: readonly Integer64[];
  readonly uint64_data: readonly Integer64[];
  readonly double_data: readonly number[];
  readonly data_location: number;
  readonly external_data: readonly { readonly key: string; readonly value: string }[];
}

/** Up to so many bytes are kept rather than read again. */
const keptBytes = 16 * 1024;

/**
 * Checks a tensor's type, shape and the number of its bytes; reads nothing but what is inside the message.
 *
 * @param model all bytes of the model, which the message's raw bytes are a part of
 * @throws OnnxError that names the tensor
 */
export function storedTensor(
  message: TensorMessage,
  name: string,
  source: ModelSource,
  model: Uint8Array,
): StoredTensor {
  const refuse = (expected: string, received: string, remedy?: string) =>
    new OnnxError({
      operation: `importOnnx (tensor ${JSON.stringify(name)})`,
      file: source.file,
      expected,
      received,
      remedy,
    });
  const type = elementTypeOf(message.data_type);
  if (type === undefined) {
    throw refuse(`elements of ${supportedElementTypes.join(', ')}`, describeElementType(message.data_type));
  }
  const shape = message.dims.map(wholeNumber);
  const count = sizeOf(shape);
  if (shape.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    throw refuse('a shape of whole sizes', formatShape(shape));
  }
  const bytes = storedBytes(type, count);
  const requireBytes = (received: number, where: string) => {
    if (received !== bytes) throw refuse(`${bytes} bytes for ${type} ${formatShape(shape)}`, `${received} ${where}`);
  };
  const asArray = (data: Uint8Array) => elementsOf(data, type, count);
  if (message.data_location === 1) {
    const { location, offset, length = bytes } = externalPlace(message, refuse);
    requireBytes(length, `in ${location}`);
    const size = source.externalSize(location);
    if (offset + length > size) {
      throw refuse(`bytes ${offset} to ${offset + length} of ${location}`, `a file of ${size} bytes`);
    }
    return { name, type, shape, read: () => asArray(source.fromExternal(location, offset, length)) };
  }
  if (message.raw_data.length > 0 || count === 0) {
    const { raw_data: raw } = message;
    requireBytes(raw.length, 'in the model');
    const offset = raw.byteOffset - model.byteOffset;
    const isPart = raw.buffer === model.buffer;
    const kept = bytes <= keptBytes || !isPart ? new Uint8Array(raw) : undefined;
    return { name, type, shape, read: () => asArray(kept ?? source.own(offset, bytes)) };
  }
  const data = fromFields(message, type, refuse);
  const expected = bitsOf(type) === 4 ? bytes : count;
  if (data.length !== expected) {
    throw refuse(`${expected} elements for ${type} ${formatShape(shape)}`, `${data.length} in the model`);
  }
  const elements = bitsOf(type) === 4 ? elementsOf(data as Uint8Array, type, count) : data;
  return { name, type, shape, read: () => elements };
}

type Refuse = (expected: string, received: string, remedy?: string) => OnnxError;

function externalPlace(
  { external_data: entries }: TensorMessage,
  refuse: Refuse,
): { location: string; offset: number; length: number | undefined } {
  const entryOf = (wanted: string) => entries.find(({ key }) => key === wanted)?.value;
  const number = (key: string) => {
    const value = entryOf(key);
    if (value === undefined) return undefined;
    const parsed = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(parsed)) throw refuse(`a whole ${key} of its data`, value);
    return parsed;
  };
  const location = entryOf('location');
  if (location === undefined) throw refuse('the location of its data', 'none');
  return { location, offset: number('offset') ?? 0, length: number('length') };
}

/** Elements over bytes: without a copy where the bytes are aligned. */
function elementsOf(bytes: Uint8Array, type: ElementType, count: number): AnyTypedArray {
  const dtype = storageOf(type);
  if (bitsOf(type) === 4) return unpackHalves(bytes, dtype, count);
  const aligned = bytes.byteOffset % byteSize(dtype) === 0 ? bytes : new Uint8Array(bytes);
  return viewAs(dtype, aligned.buffer, aligned.byteOffset, count);
}

/** The first of two elements is in the low half of a byte. */
function unpackHalves(bytes: Uint8Array, dtype: StorageDType, count: number): AnyTypedArray {
  const elements = allocate(dtype, count);
  for (let i = 0; i < count; i++) {
    const half = i % 2 === 0 ? bytes[i >> 1]! & 15 : bytes[i >> 1]! >> 4;
    elements[i] = dtype === 'int8' && half > 7 ? half - 16 : half;
  }
  return elements;
}

/** Elements that are listed as numbers. */
function fromFields(message: TensorMessage, type: ElementType, refuse: Refuse): AnyTypedArray {
  switch (type) {
    case 'float32':
      return Float32Array.from(message.float_data);
    case 'float64':
      return Float64Array.from(message.double_data);
    case 'int64':
      return BigInt64Array.from(message.int64_data, bigIntOf);
    case 'uint64':
      return BigUint64Array.from(message.uint64_data, (value) => BigInt.asUintN(64, bigIntOf(value)));
    case 'uint32':
      return Uint32Array.from(message.uint64_data, wholeNumber);
    default: {
      const elements = allocate(storageOf(bitsOf(type) === 4 ? 'uint8' : type), message.int32_data.length);
      if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) throw refuse('int32 data', type);
      elements.set(message.int32_data);
      return elements;
    }
  }
}

function bigIntOf(value: Integer64): bigint {
  return typeof value === 'number' ? BigInt(value) : (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}
