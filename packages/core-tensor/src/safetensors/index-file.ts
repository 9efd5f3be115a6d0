import { readFile, stat } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import { fileError } from './file-error.js';
import { maxHeaderBytes } from './format.js';
import { findRepeatedKey, isRecord } from './json.js';

/** Names that Hugging Face libraries look for in a folder. */
export const singleFileName = 'model.safetensors';
export const indexFileName = 'model.safetensors.index.json';

/** Which file of the folder holds each tensor. */
export type WeightMap = ReadonlyMap<string, string>;

/** A name that stays in the folder of the index, whatever the platform's separators are. */
function isPlainName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value !== '.' && value !== '..' && !/[/\\\0]/.test(value);
}

/**
 * Reads `model.safetensors.index.json`.
 *
 * @throws CheckpointError where it cannot be read, is malformed, or names files outside of its folder
 */
export async function readIndexFile(file: string): Promise<WeightMap> {
  const operation = 'read checkpoint index';
  const refuse = (expected: string, received: string, key?: string, cause?: unknown) => {
    const remedy = 'Download or write the index again.';
    return new CheckpointError({ operation, file, key, expected, received, remedy, cause });
  };
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > maxHeaderBytes) {
      throw refuse(`at most ${maxHeaderBytes} bytes`, `${size} bytes`);
    }
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    if (cause instanceof TypeError) {
      throw refuse('UTF-8', 'bytes that are not UTF-8', undefined, cause);
    }
    throw fileError(operation, file, 'a file that can be read', cause);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw refuse('JSON', (cause as Error).message, undefined, cause);
  }
  const entries = isRecord(document) ? document.weight_map : undefined;
  if (!isRecord(entries)) {
    throw refuse('an object weight_map from tensor names to file names', typeof entries);
  }
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) {
    throw refuse('every key once', 'it twice', repeated);
  }
  const weightMap = new Map<string, string>();
  for (const [key, name] of Object.entries(entries)) {
    if (!isPlainName(name)) {
      throw refuse('the name of a file beside the index', JSON.stringify(name), key);
    }
    weightMap.set(key, name);
  }
  return weightMap;
}

/**
 * The text of an index as `json.dumps(indent=2, sort_keys=True)` of Python prints it, which Hugging Face libraries
 * write; characters beyond ASCII are escaped.
 */
export function formatIndexFile(totalBytes: number, weightMap: WeightMap): string {
  const sorted = [...weightMap].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = sorted.map(([key, file]) => `    ${JSON.stringify(key)}: ${JSON.stringify(file)}`);
  const map = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  const text = `{\n  "metadata": {\n    "total_size": ${totalBytes}\n  },\n  "weight_map": ${map}\n}\n`;
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
