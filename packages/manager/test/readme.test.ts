import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(printed).toEqual(['[ 2, 7, 16 ] [ 2, 32 ]', '3 4 5 C', '0.33 0.33 0.33 null', '[ 1, 9, 16 ] 0']);
});
