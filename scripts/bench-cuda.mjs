// Measures the `cuda` engine against PyTorch on this machine's card: `pnpm bench:cuda [names…]` runs the benchmarks
// `bench/cuda/NAME.bench.ts` of all packages (by default all of them), goes on behind one that fails, and appends what
// was measured to packages/core-tensor/bench/RESULTS.md.
//   --peers eager,compiled  how PyTorch runs; none leaves it out
//   --limit 300             seconds after which a benchmark is ended
//   --lines FILE            keeps the lines of JSON as well
//   --out FILE              appends to another file; without it, only what a card did is appended
//   --tiny                  sizes that show that everything runs, and nothing else
//   --software              on the software device instead of a card; with --tiny only
//   --list                  names the benchmarks
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { findBenchmarks } from './benchmarks.mjs';
import { root } from './pnpm.mjs';
import { softwareDeviceFolder } from './software-device.mjs';

/** Those that take least first, so that a machine that is lent for a while has shown something early. */
const order = [
  'small-decoder',
  'manager-aggregation',
  'c-abstractor',
  'moai-mixer',
  'decode',
  'decoder-training',
  'projector-training',
  'first-step',
];

const results = join(root, 'packages/core-tensor/bench/RESULTS.md');

/** Runs one benchmark in a process of its own; its lines are printed and returned. */
function run(file, words, { limit, variables }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', file, ...words], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...variables },
      timeout: limit * 1000,
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      process.stdout.write(piece);
      text += piece;
    });
    child.on('close', (code, signal) => {
      const lines = text.split('\n').filter((line) => line.startsWith('{'));
      resolve({
        lines,
        ending: signal ? `ended by ${signal} after ${limit} s` : code === 0 ? undefined : `code ${code}`,
      });
    });
  });
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== '--'),
  allowPositionals: true,
  options: {
    peers: { type: 'string' },
    limit: { type: 'string', default: '300' },
    lines: { type: 'string' },
    out: { type: 'string' },
    tiny: { type: 'boolean', default: false },
    software: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});
const benchmarks = findBenchmarks('cuda');
const known = [...benchmarks.keys()].sort((a, b) => order.indexOf(a) - order.indexOf(b));
const unknown = positionals.filter((name) => !benchmarks.has(name));
const limit = Number(values.limit);

if (unknown.length > 0) {
  process.stderr.write(`bench:cuda: expected names among ${known.join(', ')}, received ${unknown.join(', ')}.\n`);
  process.exitCode = 2;
} else if (!(limit > 0)) {
  process.stderr.write(`bench:cuda: expected --limit in seconds, received ${values.limit}.\n`);
  process.exitCode = 2;
} else if (values.software && !values.tiny) {
  process.stderr.write('bench:cuda: expected --tiny with --software, as a processor computes everything there.\n');
  process.exitCode = 2;
} else if (values.list) {
  for (const name of known) process.stdout.write(`${name}  ${relative(root, benchmarks.get(name))}\n`);
} else {
  const variables = values.software ? { OCELLI_CUDA_LIBRARIES: softwareDeviceFolder() } : {};
  const words = [...(values.tiny ? ['--tiny'] : []), ...(values.peers ? ['--peers', values.peers] : [])];
  const lines = [];
  for (const name of positionals.length > 0 ? positionals : known) {
    const { lines: printed, ending } = await run(benchmarks.get(name), words, { limit, variables });
    lines.push(...printed);
    if (values.lines && printed.length > 0) appendFileSync(values.lines, `${printed.join('\n')}\n`);
    if (ending === undefined) continue;
    lines.push(JSON.stringify({ bench: name, failed: ending }));
    process.stderr.write(`bench:cuda: ${name}: ${ending}.\n`);
    process.exitCode = 1;
  }
  const out = values.out ?? (values.tiny ? undefined : results);
  if (out !== undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'ocelli-bench-'));
    const file = join(folder, 'lines.jsonl');
    writeFileSync(file, lines.join('\n'));
    const { ending } = await run(
      join(root, 'packages/core-tensor/bench/cuda/write-results.ts'),
      [file, out, new Date().toISOString().slice(0, 10)],
      { limit, variables: {} },
    );
    rmSync(folder, { recursive: true });
    if (ending !== undefined) process.exitCode = 1;
  }
}
