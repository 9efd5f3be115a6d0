import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pnpm.mjs';

const suffix = '.bench.ts';

/** Files of all benchmarks by name: `bench/NAME.bench.ts` of every package, or those in a folder below `bench`. */
export function findBenchmarks(below = '') {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name, 'bench', below)),
  );
  const files = folders.filter(existsSync).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const benchmarks = files
    .filter((file) => file.endsWith(suffix))
    .map((file) => [file.split(/[\\/]/).at(-1).slice(0, -suffix.length), file]);
  return new Map(benchmarks.sort(([a], [b]) => (a < b ? -1 : 1)));
}
