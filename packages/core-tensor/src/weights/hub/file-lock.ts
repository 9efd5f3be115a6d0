import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** A lock that its owner has not touched for so long, in milliseconds, belongs to a process that is gone. */
const staleAfter = 30_000;

const touchEvery = staleAfter / 6;
const lookEvery = 250;

/**
 * Does work that only one process at a time may do; others wait until it is done.
 *
 * @param path of the lock file, in a folder that exists
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  while (!(await take(path))) await setTimeout(lookEvery, undefined, { signal });
  const touching = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, touchEvery);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const touched = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  if (touched !== undefined && Date.now() - touched > staleAfter) await rm(path, { force: true });
  return false;
}
