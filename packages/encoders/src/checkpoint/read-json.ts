import { join } from 'node:path';
import { CheckpointError, readJsonFile } from '@ocelli/core-tensor';

/** An object of a JSON file. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A JSON file of a folder; undefined where there is none, and where the path is that of a file.
 *
 * @throws CheckpointError if it cannot be read or does not hold an object
 */
export async function readJson(operation: string, path: string, name: string): Promise<JsonObject | undefined> {
  const file = join(path, name);
  let content: unknown;
  try {
    content = await readJsonFile(file, operation);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new CheckpointError({ operation, file, expected: 'a JSON object', received: JSON.stringify(content) });
  }
  return content as JsonObject;
}
