import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fixture, findFixtures, type ParityCheck, passes, readFixture, runParityCheck } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { parityChecks } from '../src/fixtures.js';

const fixtures = await findFixtures(fileURLToPath(new URL('fixtures', import.meta.url)));

/** The fixture with one value changed: of each of its parts the last, or one of each column of the first and last row. */
function changedFixtures(fixture: Fixture): Fixture[] {
  const config = fixture.config as Record<string, unknown>;
  const parts = Object.entries(config).filter(([, part]) => typeof part !== 'string');
  return parts.flatMap(([name, part]) =>
    changedParts(part).map((changed) => ({ ...fixture, config: { ...config, [name]: changed } })),
  );
}

function changedParts(part: unknown): unknown[] {
  if (!Array.isArray(part) || part.length === 0) return [withChanged(part)];
  return [0, part.length - 1].flatMap((index) => {
    const row: unknown = part[index];
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return [part.with(index, withChanged(row))];
    return Object.entries(row).map(([name, value]) => part.with(index, { ...row, [name]: withChanged(value) }));
  });
}

function withChanged(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}?`;
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return value.length === 0 ? [0] : value.with(0, withChanged(value[0]));
  if (typeof value !== 'object' || value === null) return 'something';
  const [name, first] = Object.entries(value)[0] ?? ['more', 0];
  return { ...value, [name]: withChanged(first) };
}

/** Whether a fixture passes; what is malformed does not. */
async function passesCheck(check: ParityCheck, fixture: Fixture): Promise<boolean> {
  try {
    return passes(await runParityCheck(check, fixture));
  } catch {
    return false;
  }
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
      const unnoticed = [];
      for (const each of changedFixtures(fixture)) if (await passesCheck(check, each)) unnoticed.push(each);
      expect(unnoticed.length).toBeLessThan(changedFixtures(fixture).length);
    },
  );
});
