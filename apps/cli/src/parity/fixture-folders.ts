import { access, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../errors.js';

/**
 * Where fixtures are looked for: the given folder, or `test/fixtures` of each package of the checkout around `start`.
 *
 * @returns the folders, and the one that paths are printed relative to
 * @throws UsageError if the folder does not exist, or none is given outside a checkout
 */
export async function fixtureFolders(
  given: string | undefined,
  start: string,
): Promise<{ root: string; folders: string[] }> {
  if (given !== undefined) {
    const isFolder = await stat(given).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder)
      throw new UsageError(`parity: expected --fixtures to be a folder, received ${JSON.stringify(given)}.`);
    return { root: given, folders: [given] };
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
