import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
  expect(printed).toEqual([
    'The image includes bounding box coordinates and their objects: [0.10, 0.20, 0.50, 0.60] person.  The image includes text descriptions: SALE.',
    '[ 1, 8, 64 ] [ 1, 5, 64 ] 49932',
    "[ 1, 5, 3 ] [ '0.33', '0.33', '0.33' ]",
  ]);
});
