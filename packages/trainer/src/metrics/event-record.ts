import protobuf from 'protobufjs/light.js';
import { maskedCrc32c } from './crc32c.js';

/** The part of TensorFlow's `event.proto` and `summary.proto` that scalars need. */
const schema = {
  nested: {
    Event: {
      fields: {
        wall_time: { type: 'double', id: 1 },
        step: { type: 'int64', id: 2 },
        file_version: { type: 'string', id: 3 },
        summary: { type: 'Summary', id: 5 },
        session_log: { type: 'SessionLog', id: 7 },
      },
    },
    Summary: { fields: { value: { rule: 'repeated', type: 'Value', id: 1 } } },
    Value: { fields: { tag: { type: 'string', id: 1 }, simple_value: { type: 'float', id: 2 } } },
    SessionLog: { fields: { status: { type: 'int32', id: 1 } } },
  },
};

const eventType = protobuf.Root.fromJSON(schema, new protobuf.Root()).lookupType('Event');

/** `SessionLog.START`: steps from here on replace what earlier files of the run hold. */
export const sessionStart = 1;

/** An event of a TensorBoard file. */
export interface EventMessage {
  /** Seconds since 1970. */
  readonly wall_time: number;
  readonly step?: number;
  readonly file_version?: string;
  readonly summary?: { readonly value: readonly { readonly tag: string; readonly simple_value: number }[] };
  readonly session_log?: { readonly status: number };
}

/**
 * An event as a TFRecord: length (uint64), masked checksum of the length, data, masked checksum of the data; numbers
 * are little-endian.
 */
export function encodeEvent(event: EventMessage): Uint8Array {
  const data = eventType.encode(eventType.fromObject(event)).finish();
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}
