import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

test('the example of the README learns exclusive or', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(printed).toHaveLength(3);
  const [first, later] = printed.slice(0, 2).map((line) => Number(line.replace('loss ', '')));
  expect(later).toBeLessThan(first! / 4);
  expect(printed[2]).toBe('[ 0, 1, 1, 0 ]');
});
