// The pinned pnpm, without anything installed beforehand.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Root folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs pnpm in the repository, showing what it prints.
 *
 * @param {...string} words its arguments
 * @returns {number} its exit code
 */
export function pnpm(...words) {
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const { status } = spawnSync('npx', ['--yes', packageManager, ...words], {
    stdio: 'inherit',
    cwd: root,
    shell: process.platform === 'win32',
  });
  return status ?? 1;
}
