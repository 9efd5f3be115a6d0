import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fixture, findFixtures, passes, readFixture, runParityCheck } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { parityChecks } from '../src/fixtures.js';

const fixtures = await findFixtures(fileURLToPath(new URL('fixtures', import.meta.url)));

/** The fixture with one value changed in one of its parts: the last of the first or of the last row. */
function changedFixtures(fixture: Fixture): Fixture[] {
  const config = fixture.config as Record<string, unknown>;
  const parts = Object.keys(config).filter((name) => typeof config[name] !== 'string');
  return parts.flatMap((name) =>
    [0, -1].map((row) => ({ ...fixture, config: { ...config, [name]: withChanged(config[name], row) } })),
  );
}

function withChanged(value: unknown, row: number): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}?`;
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return value.length === 0 ? [0] : value.with(row, withChanged(value.at(row), -1));
  if (typeof value !== 'object' || value === null) return 'something';
  const [name, last] = Object.entries(value).at(-1) ?? ['more', 0];
  return { ...value, [name]: withChanged(last, -1) };
}

describe('published evaluations', () => {
  it('have a fixture of every kind', () => {
    expect([...new Set(fixtures.map(({ kind }) => kind))].sort()).toEqual(Object.keys(parityChecks).sort());
  });

  it.each(fixtures.map(({ file, kind }) => [`${kind}: ${basename(file)}`, file, kind!] as const))(
    'agree with ours: %s',
    async (_, file, kind) => {
      const fixture = await readFixture(file);
      const check = parityChecks[kind]!;
      const result = await runParityCheck(check, fixture);
      expect(result.mismatches).toEqual([]);
      expect(result.forward).toBeLessThanOrEqual(1e-6);
      // Results that are no longer the published ones are noticed.
      const changed = await Promise.all(changedFixtures(fixture).map((each) => runParityCheck(check, each)));
      expect(changed.filter((each) => !passes(each)).length).toBeGreaterThan(0);
    },
  );
});
