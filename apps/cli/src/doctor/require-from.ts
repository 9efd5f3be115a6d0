import { createRequire } from 'node:module';

const here = createRequire(import.meta.url);

/** Loads a package that another package depends on, in the version which that one gets. */
export function requireFrom(dependent: string, name: string): unknown {
  return createRequire(here.resolve(`${dependent}/package.json`))(name);
}

/** Path of a file of a package that another package depends on. */
export function resolveFrom(dependent: string, path: string): string {
  return createRequire(here.resolve(`${dependent}/package.json`)).resolve(path);
}
