import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { OcelliError } from '../errors.js';
import { openSafetensors } from '../safetensors/reader.js';

/** A fixture file that was found. */
export interface FoundFixture {
  readonly file: string;
  /** Its family, `area/name`; undefined if the file cannot be read. */
  readonly kind: string | undefined;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/**
 * Finds the fixtures below a folder: safetensors files with a kind in their metadata, and JSON files with a kind at
 * their top level. Other files (checkpoints, tokenizers, images) are none. In order of their paths.
 */
export async function findFixtures(folder: string): Promise<FoundFixture[]> {
  const entries = await readdir(folder, { recursive: true });
  const found: FoundFixture[] = [];
  for (const entry of entries.sort()) {
    const file = join(folder, entry);
    const readKind = kindReaders[extname(entry)];
    if (!readKind || !(await stat(file)).isFile()) continue;
    try {
      const kind = await readKind(file);
      if (kind !== undefined) found.push({ file, kind });
    } catch (error) {
      if (!(error instanceof OcelliError || error instanceof SyntaxError)) throw error;
      found.push({ file, kind: undefined, problem: error.message });
    }
  }
  return found;
}

const kindReaders: Readonly<Record<string, (file: string) => Promise<string | undefined>>> = {
  '.json': async (file) => {
    const content = JSON.parse(await readFile(file, 'utf8')) as { kind?: unknown } | null;
    return typeof content?.kind === 'string' ? content.kind : undefined;
  },
  '.safetensors': async (file) => {
    const reader = await openSafetensors(file);
    await reader.close();
    return reader.metadata.kind;
  },
};
