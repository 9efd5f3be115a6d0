import { readFile } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';

/**
 * Reads a JSON file of a checkpoint, such as its `config.json`.
 *
 * @param operation what errors call it
 * @throws CheckpointError naming the file where it cannot be read or is no JSON
 */
export async function readJsonFile(file: string, operation: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new CheckpointError({
      operation,
      file,
      expected: 'a JSON file',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Check the path, or download the file again.',
      cause,
    });
  }
}
