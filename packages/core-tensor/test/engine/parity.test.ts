import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parityChecks } from '../../src/fixtures.js';
import { closeEngine, type EngineName, findFixtures, readFixture, tolerance, useEngine } from '../../src/index.js';

const fixtures = await findFixtures(fileURLToPath(new URL('../fixtures', import.meta.url)));

describe.each<EngineName>(['reference', 'tfjs'])('published operators on %s', (name) => {
  beforeAll(async () => {
    await useEngine(name);
  });
  afterAll(closeEngine);

  test.each(fixtures)('agree with $kind', async ({ file, kind }) => {
    const result = await parityChecks[kind!]!(await readFixture(file));
    expect(result.mismatches).toEqual([]);
    expect(result.forward).toBeLessThanOrEqual(tolerance.forward);
    expect(result.gradient).toBeLessThanOrEqual(tolerance.gradient);
  });
});
