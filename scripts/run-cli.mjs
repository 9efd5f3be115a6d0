// Runs the command line from a checkout, building what is missing or older than its sources.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm, root } from './pnpm.mjs';

/** Folders of all packages. */
const packages = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
);

/** Time of the last change of any file below a folder, in milliseconds. */
function lastChange(folder) {
  const files = readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)));
  return Math.max(0, ...files.filter((file) => file.isFile()).map(({ mtimeMs }) => mtimeMs));
}

function isStale(folder) {
  const source = join(folder, 'src');
  if (!existsSync(source)) return false;
  const built = join(folder, 'dist');
  return !existsSync(built) || lastChange(built) < lastChange(source);
}

if (packages.some(isStale)) {
  const code = pnpm('run', 'build:js');
  if (code !== 0) process.exit(code);
}
const main = join(root, 'apps/cli/dist/main.js');
// `pnpm parity -- --strict` passes the dashes on.
const args = process.argv.slice(2).filter((word, index) => word !== '--' || index !== 1);
const { status, signal } = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' });
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
