// Runs a package script with the pinned pnpm, after installing what it needs: `npm test` and `npm run demo` work with Node and npm alone.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [script, ...args] = process.argv.slice(2);

function pnpm(...words) {
  const result = spawnSync('npx', ['--yes', packageManager, ...words], {
    stdio: 'inherit',
    cwd: new URL('..', import.meta.url),
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

pnpm('install', '--frozen-lockfile', '--prefer-offline');
pnpm('run', script, ...args);
