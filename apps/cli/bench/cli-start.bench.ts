import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Time from starting `ocelli --help` to its end, against Node doing nothing. */
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const target = 250;

function milliseconds(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args);
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with code ${status}`);
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

if (!existsSync(main)) throw new Error(`expected the built command at ${main}; run pnpm build first`);
const [help, nothing]: [number[], number[]] = [[], []];
for (let round = 0; round < 11; round++) {
  help.push(milliseconds([main, '--help']));
  nothing.push(milliseconds(['-e', '0']));
}
const ratio = Math.round(median(help));
console.log(
  JSON.stringify({
    name: 'cli-start',
    ratio,
    target: `< ${target}`,
    holds: ratio < target,
    unit: 'ms',
    nodeAlone: Math.round(median(nothing)),
  }),
);
