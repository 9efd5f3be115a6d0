// Runs a task of all packages with turbo, which reports nothing to anybody.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { root } from './pnpm.mjs';

const [task, ...options] = process.argv.slice(2);
const turbo = createRequire(import.meta.url).resolve('turbo/bin/turbo');
const { status } = spawnSync(process.execPath, [turbo, 'run', task, '--output-logs=errors-only', ...options], {
  stdio: 'inherit',
  cwd: root,
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
});
process.exitCode = status ?? 1;
