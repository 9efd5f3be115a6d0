import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(printed).toEqual(['4 tokens an image', expect.stringMatching(/^5\.\d false$/), 'true']);
});
