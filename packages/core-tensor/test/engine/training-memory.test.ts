import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const child = fileURLToPath(new URL('./training-memory.child.ts', import.meta.url));
const repository = fileURLToPath(new URL('../../../..', import.meta.url));

test('1200 training steps need no more memory than 400', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child], { cwd: repository });
  const { growth, first, last } = JSON.parse(stdout) as Record<'growth' | 'first' | 'last', number>;
  // Gradients take 3 MB a step, batches 80 KB: keeping either would show as 2.4 GB or 64 MB.
  expect(growth).toBeLessThan(40);
  expect(last).toBeLessThan(0.8 * first);
});
