import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type CheckpointReader, nameRanges, sizeOf } from '@ocelli/core-tensor';
import type { Amount, DTypeFacts, FileFacts, TensorGroup } from './inspection.js';

type Totals = { -readonly [Field in keyof Amount]: Amount[Field] };

/** Sizes of each file, in the order of the checkpoint. */
export async function describeFiles(reader: CheckpointReader): Promise<FileFacts[]> {
  const byFile = new Map<string, string[]>(reader.files.map((file) => [file, []]));
  for (const key of reader.keys()) byFile.get(reader.fileOf(key))!.push(key);
  return Promise.all(
    [...byFile].map(async ([file, keys]) => ({
      name: basename(file),
      fileBytes: (await stat(file)).size,
      dtypes: [...new Set(keys.map((key) => reader.info(key).dtype))].sort(),
      ...amountOf(reader, keys),
    })),
  );
}

/** Sizes of each dtype, the largest first. */
export function describeDTypes(reader: CheckpointReader): DTypeFacts[] {
  const groups = new Map<string, string[]>();
  for (const key of reader.keys()) {
    const { dtype } = reader.info(key);
    groups.set(dtype, [...(groups.get(dtype) ?? []), key]);
  }
  return [...groups].map(([dtype, keys]) => ({ dtype, ...amountOf(reader, keys) })).sort((a, b) => b.bytes - a.bytes);
}

function amountOf(reader: CheckpointReader, keys: readonly string[]): Amount {
  const total: Totals = { tensors: keys.length, elements: 0, bytes: 0 };
  for (const key of keys) {
    const { shape, byteLength } = reader.info(key);
    total.elements += sizeOf(shape);
    total.bytes += byteLength;
  }
  return total;
}

/** Every tensor; those of the same kind whose names differ by a number are written together. */
export function describeTensors(reader: CheckpointReader): TensorGroup[] {
  const groups = new Map<string, { names: string[]; dtype: string; shape: readonly number[] }>();
  for (const key of reader.keys()) {
    const { dtype, shape } = reader.info(key);
    const kind = JSON.stringify([key.replace(/(^|\.)\d+(?=\.|$)/, '$1*'), dtype, shape]);
    const group = groups.get(kind);
    if (group) group.names.push(key);
    else groups.set(kind, { names: [key], dtype, shape });
  }
  return [...groups.values()].map(({ names, dtype, shape }) => ({
    names: nameRanges(names).join(', '),
    count: names.length,
    dtype,
    shape,
  }));
}
