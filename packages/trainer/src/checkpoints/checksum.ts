import { webcrypto } from 'node:crypto';
import type { AnyTypedArray } from '@ocelli/core-tensor';

/** SHA-256 of an array's bytes, computed off the main thread. */
export async function checksum(values: AnyTypedArray): Promise<string> {
  const bytes = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
