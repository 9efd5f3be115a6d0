import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

test('the example of the README trains', async () => {
  const [status, loss] = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(status).toBe('completed after 30 steps');
  const [, first, last] = loss!.match(/^loss ([\d.]+) → ([\d.]+)$/)!.map(Number);
  expect(last!).toBeLessThan(0.2 * first!);
});
