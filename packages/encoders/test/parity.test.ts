import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closeEngine, type Fixture, passes, readFixture, runParityCheck } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { parityChecks } from '../src/fixtures.js';

const folder = fileURLToPath(new URL('./fixtures/', import.meta.url));
const files = (readdirSync(folder, { recursive: true }) as string[])
  .filter((name) => /\.(safetensors|json)$/.test(name))
  .sort();

/** The fixture with its first weight (or input) changed, unevenly: some norms undo an even change. */
function withChangedWeight(fixture: Fixture): Fixture {
  const tensors = new Map(fixture.tensors);
  const name = [...tensors.keys()].find((each) => each.startsWith('param.') || each.startsWith('in.'))!;
  const original = tensors.get(name)!;
  const data = Float32Array.from(original.data as Float32Array, (value, index) => value + 0.05 * (index % 3));
  tensors.set(name, { ...original, data });
  return { ...fixture, tensors };
}

afterAll(closeEngine);

describe('published implementations', () => {
  it('has fixtures of every kind it answers for', async () => {
    const kinds = await Promise.all(files.map(async (file) => (await readFixture(`${folder}${file}`)).kind));
    expect([...new Set(kinds)].sort()).toEqual(Object.keys(parityChecks).sort());
  });

  it.each(files)('%s', async (file) => {
    const fixture = await readFixture(`${folder}${file}`);
    const check = parityChecks[fixture.kind]!;
    const result = await runParityCheck(check, fixture);
    expect(result.mismatches).toEqual([]);
    expect(result.forward).toBeLessThanOrEqual(1e-4);
    expect(result.gradient).toBeLessThanOrEqual(1e-3);
    expect(passes(await runParityCheck(check, withChangedWeight(fixture)))).toBe(false);
  });
});
