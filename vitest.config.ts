import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Tests run the sources: package names resolve to `src`, as in `tsconfig.base.json`. */
const alias = [
  { find: /^@ocelli\/cli$/, replacement: `${root}apps/cli/src/index.ts` },
  { find: /^@ocelli\/([^/]+)\/testing$/, replacement: `${root}packages/$1/src/testing/index.ts` },
  { find: /^@ocelli\/([^/]+)\/cuda$/, replacement: `${root}packages/$1/src/cuda.ts` },
  { find: /^@ocelli\/([^/]+)\/fixtures$/, replacement: `${root}packages/$1/src/fixtures.ts` },
  { find: /^@ocelli\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
];

/** One project per package, named by its folder, and one for the workspace itself. */
const directories = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(`${root}${parent}`).map((name) => `${parent}/${name}`),
);

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [...directories, '.'].map((directory) => ({
      extends: true as const,
      test: {
        name: directory === '.' ? 'workspace' : directory,
        root: `${root}${directory}`,
        include: ['test/**/*.test.ts'],
        testTimeout: 120_000,
        hookTimeout: 120_000,
      },
    })),
    maxWorkers: 2,
  },
});
