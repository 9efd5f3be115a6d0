import { readFile } from 'node:fs/promises';
import { type AnyTypedArray, convert, type StorageDType } from '../dtype.js';
import { CheckpointError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import { dtypeNames, type StoredTensor } from '../safetensors/format.js';
import { openSafetensors } from '../safetensors/reader.js';
import { compareExactly, type ParityCheck, worstOf } from './compare.js';

/** What a tensor of the file holds, according to the list beside it. */
interface ListedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Nested as the shape; infinities and NaN as `inf`, `-inf` and `nan`. */
  readonly values: unknown;
}

/**
 * Compares every tensor of NAME.safetensors with its values in NAME.json: names, dtypes, shapes and exact values, and
 * the values again as float32. Either of the two files may be given.
 */
export const checkStoredDTypes: ParityCheck = async ({ file }) => {
  const stem = file.replace(/\.[^.]+$/, '');
  const { kind: _kind, ...listed } = await readList(`${stem}.json`);
  const reader = await openSafetensors(`${stem}.safetensors`);
  try {
    const results = [compareExactly([...reader.keys()].sort(), Object.keys(listed).sort(), 'names')];
    for (const name of reader.keys()) {
      const expected = listed[name];
      if (!expected) continue;
      const stored = await reader.read(name);
      const values = leavesOf(expected.values);
      results.push(
        compareExactly(dtypeNames[stored.dtype], expected.dtype, `${name} dtype`),
        compareExactly(stored.shape, expected.shape, `${name} shape`),
        compareExactly(values.length, sizeOf(expected.shape), `${name} count`),
        compareExactly(numbersOf(stored), values, name),
        compareExactly(
          numbersOf(await reader.read(name, { as: 'float32' })),
          values.map(Math.fround),
          `${name} as float32`,
        ),
      );
    }
    return worstOf(results);
  } finally {
    await reader.close();
  }
};

async function readList(file: string): Promise<Record<string, ListedTensor>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, ListedTensor>;
  } catch (cause) {
    throw new CheckpointError({
      operation: 'read list of tensors',
      file,
      expected: 'a JSON file beside the safetensors file',
      received: String(cause),
      cause,
    });
  }
}

function numbersOf({ data, dtype }: StoredTensor): number[] {
  const exact: AnyTypedArray =
    dtype === 'bool' || dtype === 'int64' || dtype === 'uint64'
      ? data
      : convert(data as Float32Array, dtype as StorageDType & 'float32', 'float64');
  return Array.from(exact as ArrayLike<number | bigint>, Number);
}

const special: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};

function leavesOf(values: unknown): number[] {
  if (Array.isArray(values)) return values.flatMap(leavesOf);
  return [typeof values === 'string' ? special[values]! : Number(values)];
}
