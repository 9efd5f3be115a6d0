import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  closeEngine,
  type Fixture,
  type FixtureTensor,
  passes,
  readFixture,
  runParityCheck,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { parityChecks } from '../src/fixtures.js';

const folder = fileURLToPath(new URL('./fixtures/', import.meta.url));
const files = (readdirSync(folder, { recursive: true }) as string[])
  .filter((name) => /\.(safetensors|json)$/.test(name))
  .sort();

/** The fixture with its weights changed (its inputs if it has none), irregularly: norms undo a regular change. */
function withChangedWeights(fixture: Fixture): Fixture {
  const names = [...fixture.tensors.keys()];
  const weights = names.filter((name) => name.startsWith('param.'));
  const changed = new Set(weights.length > 0 ? weights : names.filter((name) => name.startsWith('in.')));
  const tensors = [...fixture.tensors].map(([name, original]): [string, FixtureTensor] => {
    if (!changed.has(name)) return [name, original];
    if (original.data instanceof BigInt64Array)
      return [name, { ...original, data: original.data.map((id) => id + 1n) }];
    const values = original.data as Float32Array;
    return [name, { ...original, data: values.map((value, index) => value + 0.05 * Math.sin(index ** 2)) }];
  });
  return { ...fixture, tensors: new Map(tensors) };
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
    expect(passes(await runParityCheck(check, withChangedWeights(fixture)))).toBe(false);
  });
});
