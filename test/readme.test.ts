import { expect, test } from 'vitest';
import { runReadmeExample } from './support/run-readme-example.js';

test('the example of the README runs as written', async () => {
  expect(await runReadmeExample(new URL('..', import.meta.url).pathname)).toEqual(['[ 2, 16, 96 ] 3072']);
});
