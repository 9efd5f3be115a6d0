import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const child = fileURLToPath(new URL('./peak-memory.child.ts', import.meta.url));
const repository = fileURLToPath(new URL('../../../..', import.meta.url));

/** Megabytes by which a process of its own grows in a training step. */
async function growth(variant: 'plain' | 'checkpointed'): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, variant], {
    cwd: repository,
  });
  return Number(stdout.trim());
}

test('checkpoints lower the peak memory of a training step', async () => {
  const plain = await growth('plain');
  const checkpointed = await growth('checkpointed');
  // 24 layers of 4 MB activations, several each.
  expect(plain).toBeGreaterThan(200);
  expect(checkpointed).toBeGreaterThan(20);
  expect(checkpointed).toBeLessThan(0.7 * plain);
});
