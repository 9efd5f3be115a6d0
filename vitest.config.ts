import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Tests run the sources: package names resolve to `src`, as in `tsconfig.base.json`. */
const alias = [
  { find: /^@ocelli\/cli$/, replacement: `${root}apps/cli/src/index.ts` },
  { find: /^@ocelli\/([^/]+)\/testing$/, replacement: `${root}packages/$1/src/testing/index.ts` },
  { find: /^@ocelli\/([^/]+)\/fixtures$/, replacement: `${root}packages/$1/src/fixtures.ts` },
  { find: /^@ocelli\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
];

export default defineConfig({
  resolve: { alias },
  test: {
    projects: ['packages/*', 'apps/*', '.'].map((directory) => ({
      extends: true as const,
      test: {
        name: directory,
        root: directory,
        include: ['test/**/*.test.ts'],
        testTimeout: 120_000,
        hookTimeout: 120_000,
      },
    })),
    maxWorkers: 2,
  },
});
