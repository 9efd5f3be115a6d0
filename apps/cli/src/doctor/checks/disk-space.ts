import { statfs } from 'node:fs/promises';
import { type CheckResult, inGibibytes } from '../check.js';

/** Data and checkpoints of a small run fit into this many bytes. */
const enough = 2 * 2 ** 30;
const least = 256 * 2 ** 20;

/** Free space of the file system that a folder is on. */
export async function checkDiskSpace(
  what: string,
  folder: string,
  freeBytes: (folder: string) => Promise<number> = freeBytesOf,
): Promise<CheckResult> {
  const name = `disk (${what})`;
  try {
    const free = await freeBytes(folder);
    const detail = `${inGibibytes(free)} free at ${folder}`;
    if (free >= enough) return { name, status: 'ok', detail };
    return {
      name,
      status: free >= least ? 'warning' : 'problem',
      detail,
      remedy: `du -xh --max-depth=1 ${folder} | sort -h`,
    };
  } catch (error) {
    return { name, status: 'problem', detail: (error as Error).message, remedy: `mkdir -p ${folder}` };
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
