// Runs benchmarks: `pnpm bench [name…]` runs those named (all by default), `pnpm bench --list` names them.
// Each is a file `bench/NAME.bench.ts` of a package that prints one JSON object a line.
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { findBenchmarks } from './benchmarks.mjs';
import { root } from './pnpm.mjs';

/** Runs one benchmark in a process of its own; its lines appear as they are printed. */
function run(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: root, stdio: 'inherit' });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

const words = process.argv.slice(2).filter((word) => word !== '--');
const benchmarks = findBenchmarks();
const names = [...benchmarks.keys()];
const unknown = words.filter((word) => word !== '--list' && !benchmarks.has(word));

if (unknown.length > 0) {
  process.stderr.write(`bench: expected names among ${names.join(', ')}, received ${unknown.join(', ')}.\n`);
  process.exitCode = 2;
} else if (words.includes('--list')) {
  for (const [name, file] of benchmarks) process.stdout.write(`${name}  ${relative(root, file)}\n`);
} else {
  for (const name of words.length > 0 ? words : names) {
    const code = await run(benchmarks.get(name));
    if (code === 0) continue;
    process.stderr.write(`bench: ${name} ended with code ${code}.\n`);
    process.exitCode = 1;
  }
}
