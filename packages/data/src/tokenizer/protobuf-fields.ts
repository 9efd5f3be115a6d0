/** One field of a protobuf message. */
export interface ProtobufField {
  readonly number: number;
  /** A varint, the bits of a fixed-width number, or the bytes of a string or an inner message. */
  readonly value: number | Uint8Array;
}

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Reads the fields of a protobuf message, in their order. Varints are truncated to 32 bits and signed, which covers
 * enumerations, flags and int32.
 *
 * @throws RangeError where the message ends inside a field, or a field is of a type that does not exist
 */
export function* protobufFields(message: Uint8Array): Generator<ProtobufField> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let position = 0;
  const take = (length: number): number => {
    if (length > message.length - position) throw new RangeError(`the message ends inside the field at ${position}`);
    position += length;
    return position - length;
  };
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[take(1)]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError(`a number of more than ten bytes before ${position}`);
  };
  while (position < message.length) {
    const tag = varint() >>> 0;
    const number = tag >>> 3;
    if (number === 0) throw new RangeError(`a field without a number before ${position}`);
    switch (tag & 7) {
      case WIRE.varint:
        yield { number, value: varint() };
        break;
      case WIRE.bytes: {
        const length = varint() >>> 0;
        yield { number, value: message.subarray(take(length), position) };
        break;
      }
      case WIRE.fixed32:
        yield { number, value: view.getFloat32(take(4), true) };
        break;
      case WIRE.fixed64:
        yield { number, value: view.getFloat64(take(8), true) };
        break;
      default:
        throw new RangeError(`a field of unknown type ${tag & 7} before ${position}`);
    }
  }
}
