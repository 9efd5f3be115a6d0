import type { DType, StorageDType } from '../../dtype.js';

/** Element types of ONNX that can be read, by their numbers (`TensorProto.DataType`); 4-bit integers lie two in a byte. */
const namesByNumber = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
} as const;

/** Element type of a stored tensor. */
export type ElementType = (typeof namesByNumber)[keyof typeof namesByNumber];

/** What ONNX calls the others, for messages. */
const otherNames: Readonly<Record<number, string>> = {
  0: 'undefined',
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
};

/** Every {@link ElementType}. */
export const supportedElementTypes: readonly ElementType[] = Object.values(namesByNumber);

/** The type of a number; undefined for one that cannot be read. */
export function elementTypeOf(number: number): ElementType | undefined {
  return Object.hasOwn(namesByNumber, number) ? namesByNumber[number as keyof typeof namesByNumber] : undefined;
}

/** A type's name, whether it can be read or not. */
export function describeElementType(number: number): string {
  return elementTypeOf(number) ?? otherNames[number] ?? `type ${number}`;
}

/** How the elements are held when they are read: 4-bit integers a byte each. */
export function storageOf(type: ElementType): StorageDType {
  return type === 'uint4' ? 'uint8' : type === 'int4' ? 'int8' : type;
}

/** Bytes of so many elements in a file. */
export function storedBytes(type: ElementType, count: number): number {
  return Math.ceil((count * bitsOf(type)) / 8);
}

/** Bits of one element. */
export function bitsOf(type: ElementType): number {
  if (type === 'bool') return 8;
  const [bits] = /\d+$/.exec(type)!;
  return Number(bits);
}

/** What a tensor computes in: float64 becomes float32, integers that have no dtype the next wider one. */
export function computedAs(type: ElementType): DType {
  switch (type) {
    case 'float64':
      return 'float32';
    case 'int8':
    case 'int4':
    case 'int16':
    case 'uint16':
      return 'int32';
    case 'uint4':
      return 'uint8';
    case 'uint32':
    case 'uint64':
      return 'int64';
    default:
      return type;
  }
}
