import { singleFileName } from './index-file.js';

/** Size limit of a shard where none is given, in bytes; that of Hugging Face libraries. */
export const defaultShardBytes = 5_000_000_000;

/**
 * Distributes tensors over files as Hugging Face libraries do: greedily in the given order; a tensor above the limit
 * has a shard of its own, numbered before the shard that is being filled.
 *
 * Source: `huggingface_hub/serialization/_base.py`.
 *
 * @returns names of the tensors of each file, by file name in order
 */
export function planShards(
  byteLengths: ReadonlyMap<string, number>,
  maxShardBytes: number,
): ReadonlyMap<string, readonly string[]> {
  const shards: string[][] = [];
  let current: string[] = [];
  let currentBytes = 0;
  for (const [name, bytes] of byteLengths) {
    if (bytes > maxShardBytes) {
      shards.push([name]);
      continue;
    }
    if (currentBytes + bytes > maxShardBytes) {
      shards.push(current);
      current = [];
      currentBytes = 0;
    }
    current.push(name);
    currentBytes += bytes;
  }
  if (current.length > 0 || shards.length === 0) {
    shards.push(current);
  }
  if (shards.length === 1) {
    return new Map([[singleFileName, shards[0]!]]);
  }
  const padded = (number: number) => String(number).padStart(5, '0');
  return new Map(
    shards.map((names, index) => [`model-${padded(index + 1)}-of-${padded(shards.length)}.safetensors`, names]),
  );
}
