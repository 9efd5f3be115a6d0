import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(printed).toEqual(['[ 2, 64, 64 ]', '[ 2, 16, 128 ] 16 51488', '4096']);
});
