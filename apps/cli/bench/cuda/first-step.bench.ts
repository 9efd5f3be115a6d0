import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cudaBench } from '../../../../packages/core-tensor/bench/cuda/bench.js';
import { median } from '../../../../packages/core-tensor/bench/cuda/timing.js';
import type { FirstStep } from './first-step.child.js';

const child = fileURLToPath(new URL('./first-step.child.ts', import.meta.url));
const target = 10;

/**
 * From the start of a process to the loss of the first training step of a decoder of Qwen2-0.5B's shape: Node, libraries,
 * weights, tracing, compilation and the step. Once with an empty kernel cache, then with the one that this left.
 */
await cudaBench('first-step', async ({ tiny, report }) => {
  const cache = await mkdtemp(join(tmpdir(), 'ocelli-first-step-'));
  try {
    const measure = async (): Promise<FirstStep> => {
      const command = ['--import', 'tsx', child, ...(tiny ? ['--tiny'] : [])];
      const { stdout } = await promisify(execFile)(process.execPath, command, {
        env: { ...process.env, OCELLI_CACHE: cache },
      });
      return JSON.parse(stdout) as FirstStep;
    };
    const cold = await measure();
    const warm: FirstStep[] = [];
    for (let round = 0; round < (tiny ? 1 : 3); round++) warm.push(await measure());
    const seconds = median(warm.map(({ total }) => total));
    report({
      bench: 'first-step',
      peerMode: null,
      ours: seconds * 1e3,
      seconds,
      targetSeconds: target,
      holds: seconds < target,
      warm: warm.at(-1),
      cold,
    });
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});
