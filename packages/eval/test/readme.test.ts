import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(printed).toEqual([
    '0.667 0.667 yes other',
    '2 dogs 0.9 0.889',
    '0 of 1',
    "{ colour: 'red', count: '3' } 0.75",
  ]);
});
