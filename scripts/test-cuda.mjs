// Tests the `cuda` engine on this machine's card: `pnpm test:cuda [files…]`. Without a card it says why and succeeds; with
// `--where` it only says on which it would.
// On the card run the engine's own tests and, in float32, every fixture of every package.
import { spawnSync } from 'node:child_process';
import { root } from './pnpm.mjs';

function run(command, variables = {}) {
  const { status } = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...variables },
  });
  return status ?? 1;
}

const question = `
  import { inspectCuda } from './packages/core-tensor/src/cuda.ts';
  const { devices, deviceProblem, libraries, hasKoffi } = await inspectCuda();
  const missing = libraries.find(({ required, path, problem }) => required && (path === undefined || problem));
  const reason = !hasKoffi
    ? 'the package koffi is not installed'
    : missing
      ? missing.title + (missing.problem ? ': ' + missing.problem : ' is not installed; ' + missing.install)
      : devices.length === 0
        ? deviceProblem ?? 'the driver sees no card'
        : undefined;
  console.log(JSON.stringify({ reason, card: devices[0]?.name }));
`;

const asked = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', question], {
  cwd: root,
  encoding: 'utf8',
});
if (asked.status !== 0) {
  process.stderr.write(asked.stderr);
  process.exit(1);
}
const { reason, card } = JSON.parse(asked.stdout);
if (reason !== undefined) {
  process.stdout.write(`test:cuda: skipped: ${reason}.\n`);
} else {
  process.stdout.write(`test:cuda: on ${card}\n`);
}
if (reason === undefined && !process.argv.includes('--where')) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run'];
  const own = process.argv.slice(2).filter((word) => word !== '--');
  const first = run(
    [...vitest, '--project', 'packages/core-tensor', ...(own.length > 0 ? own : ['test/engine/cuda'])],
    { OCELLI_TEST_CUDA: 'card' },
  );
  const second = own.length > 0 ? 0 : run([...vitest, 'test/parity.test.ts'], { OCELLI_ENGINE: 'cuda' });
  process.exitCode = first || second;
}
