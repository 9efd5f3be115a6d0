import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what several runs share is kept: `OCELLI_CACHE`, else `ocelli` in the user's cache folder. */
export function cacheFolder(): string {
  return process.env.OCELLI_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ocelli');
}

/** What is kept, by what it was made from. */
export interface CacheEntry {
  /** Short and readable: the beginning of the folder's name. */
  readonly name: string;
  /** All that decides the contents; JSON. */
  readonly content: unknown;
}

/** Path of an entry's folder, whether it exists or not. */
export function entryFolder({ name, content }: CacheEntry): string {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
  return join(cacheFolder(), `${name}-${hash}`);
}

/**
 * The folder of an entry; made if it is not there. It appears whole or not at all.
 *
 * @param make fills the folder it is given. What an interrupted call left in it is still there for the next.
 */
export async function cached(entry: CacheEntry, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = entryFolder(entry);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  await mkdir(unfinished, { recursive: true });
  await make(unfinished);
  await rename(unfinished, folder).catch(async (error: NodeJS.ErrnoException) => {
    // Another process was faster; what it made is the same.
    if (!existsSync(folder)) throw error;
    await rm(unfinished, { recursive: true, force: true });
  });
  return folder;
}
