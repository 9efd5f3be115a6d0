import type { Options } from 'tsup';

/** What every package's build shares: ESM and CJS with types, for the Node version the project supports. */
export function library(options: Options = {}): Options {
  return {
    entry: { index: 'src/index.ts' },
    format: ['esm', 'cjs'],
    target: 'node20',
    platform: 'node',
    dts: true,
    sourcemap: true,
    clean: true,
    shims: true,
    splitting: true,
    ...options,
  };
}
