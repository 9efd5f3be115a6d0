import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closeEngine, type Fixture, passes, readFixture, runParityCheck } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { parityChecks } from '../src/fixtures.js';

const folder = fileURLToPath(new URL('./fixtures/', import.meta.url));
const files = (readdirSync(folder, { recursive: true }) as string[])
  .filter((name) => /\.(safetensors|json)$/.test(name))
  .sort();

/** The fixture with the tensors of a role changed, irregularly. */
function withChanged(fixture: Fixture, role: 'param' | 'in'): Fixture {
  const tensors = [...fixture.tensors].map(([name, { shape, dtype, data }]) => {
    const isChanged = name.startsWith(`${role}.`) && data instanceof Float32Array;
    const changed = isChanged ? data.map((value, index) => value + 0.05 * Math.sin(index ** 2)) : data;
    return [name, { shape, dtype, data: changed }] as const;
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
    for (const role of ['param', 'in'] as const) {
      if (![...fixture.tensors.keys()].some((name) => name.startsWith(`${role}.`))) continue;
      expect(passes(await runParityCheck(check, withChanged(fixture, role))), role).toBe(false);
    }
  });

  it('compares gradients and masks too', async () => {
    const fixture = await readFixture(`${folder}honeybee/assembly.safetensors`);
    const check = parityChecks[fixture.kind]!;
    for (const name of ['grad.language_model.embed.weight', 'gradin.visual', 'out.attention_mask']) {
      const original = fixture.tensors.get(name)!;
      const data = Float32Array.from(original.data as Float32Array, (value) => 1 - value);
      const tensors = new Map([...fixture.tensors, [name, { ...original, data }]]);
      expect(passes(await check({ ...fixture, tensors })), name).toBe(false);
    }
  });
});
