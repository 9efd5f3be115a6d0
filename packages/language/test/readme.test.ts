import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  // A fresh model knows nothing: the loss is about ln 300 = 5.7.
  expect(printed).toEqual(['5.6 21', '2 true', '8']);
});
