// Runs a package script with the pinned pnpm, after installing what it needs: `npm test` and `npm run demo` work with Node and npm alone.
import { pnpm } from './pnpm.mjs';

const [script, ...args] = process.argv.slice(2);
process.exitCode = pnpm('install', '--frozen-lockfile', '--prefer-offline') || pnpm('run', script, ...args);
