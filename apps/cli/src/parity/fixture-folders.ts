import { access, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { UsageError } from '../errors.js';

/**
 * Where fixtures are looked for: the given folders, or `test/fixtures` of each package of the checkout around `start`.
 *
 * @returns the folders, and the one that paths are printed relative to
 * @throws UsageError if a folder does not exist, or none is given outside a checkout
 */
export async function fixtureFolders(
  given: readonly string[] | undefined,
  start: string,
): Promise<{ root: string; folders: string[] }> {
  if (given !== undefined) {
    for (const folder of given) await requireFolder(folder);
    const folders = [...new Set(given.map((folder) => resolve(folder)))];
    return { root: commonFolder(folders), folders };
  }
  const root = await checkoutAround(start);
  if (root === undefined) {
    throw new UsageError(
      `parity: expected a checkout of the project around ${start}, found none. Name a folder with --fixtures.`,
    );
  }
  const names = (await readdir(join(root, 'packages'))).sort();
  const candidates = names.map((name) => join(root, 'packages', name, 'test/fixtures'));
  const present = await Promise.all(candidates.map(exists));
  return { root, folders: candidates.filter((_, index) => present[index]) };
}

async function requireFolder(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new UsageError(`parity: expected --fixtures to be a folder, received ${JSON.stringify(path)}.`);
}

/** The nearest folder that all of some folders are in, or the only one. */
function commonFolder(folders: readonly string[]): string {
  const [first = [], ...others] = folders.map((folder) => folder.split(sep));
  const end = first.findIndex((name, index) => others.some((other) => other[index] !== name));
  return (end < 0 ? first : first.slice(0, end)).join(sep) || sep;
}

/** The nearest folder upward that holds the project's packages. */
async function checkoutAround(start: string): Promise<string | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    if (await exists(join(folder, 'packages/core-tensor/package.json'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
