import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(printed).toEqual([
    '{ colour: 1, count: 0 } 0.5 0.75',
    "{ colour: 'red', count: '3' } 0.75",
    '{ mean: 0.75, deviation: 0.25 }',
  ]);
});
