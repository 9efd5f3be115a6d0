import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runReadmeExample } from '../../../test/support/run-readme-example.js';

describe('README.md', () => {
  it('has an example that runs', async () => {
    const [lines] = await runReadmeExample(fileURLToPath(new URL('..', import.meta.url)));
    expect(lines).toMatch(/^ok +Node +\d+\./m);
    expect(lines).toMatch(/^ok +engine +ort computes/m);
  });
});
