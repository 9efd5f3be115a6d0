import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TokenizerError } from './tokenizer-error.js';

/**
 * The bytes of a file; undefined if there is none.
 *
 * @throws TokenizerError naming the file that cannot be read
 */
export async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new TokenizerError({
      operation: `read ${file}`,
      expected: 'a readable file',
      received: code ?? String(cause),
      remedy: 'check the path and its permissions',
      file,
      cause,
    });
  }
}

/**
 * The value in a JSON file; undefined if there is no such file.
 *
 * @throws TokenizerError naming the file that cannot be read or is no JSON
 */
export async function readJsonIfPresent(file: string): Promise<unknown> {
  const bytes = await readIfPresent(file);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new TokenizerError({
      operation: `read ${file}`,
      expected: 'JSON',
      received: (cause as Error).message,
      remedy: 'the file is cut short or no JSON (a Git LFS pointer, for example): fetch it again',
      file,
      cause,
    });
  }
}

/**
 * Writes a value as JSON, under a temporary name first, so that a reader never sees half of it.
 *
 * @throws TokenizerError naming the file that cannot be written
 */
export async function writeJson(directory: string, name: string, value: unknown): Promise<void> {
  const file = join(directory, name);
  const temporary = join(directory, `.${name}.${randomUUID()}`);
  try {
    await mkdir(directory, { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new TokenizerError({
      operation: `write ${file}`,
      expected: 'a writable directory',
      received: (cause as NodeJS.ErrnoException).code ?? String(cause),
      remedy: 'choose another directory or free space on its disk',
      file,
      cause,
    });
  }
}
