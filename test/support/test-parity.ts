import { basename, join } from 'node:path';
import {
  closeEngine,
  type Fixture,
  type FixtureTensor,
  findFixtures,
  type ParityChecks,
  passes,
  readFixture,
  runParityCheck,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';

/**
 * The fixture with its weights changed (its inputs if it has none, its outputs if it has neither), irregularly: norms
 * undo a regular change. Without tensors, with its numbers changed, or its texts if it has no number either.
 */
function withChangedWeights(fixture: Fixture): Fixture {
  if (fixture.tensors.size === 0) return { ...fixture, config: withChangedValues(fixture.config) };
  const names = [...fixture.tensors.keys()];
  const role = ['param.', 'in.', 'out.'].find((each) => names.some((name) => name.startsWith(each)))!;
  const changed = new Set(names.filter((name) => name.startsWith(role)));
  const tensors = [...fixture.tensors].map(([name, original]): [string, FixtureTensor] => {
    if (!changed.has(name)) return [name, original];
    if (original.data instanceof BigInt64Array)
      return [name, { ...original, data: original.data.map((id) => id + 1n) }];
    const values = original.data as Float32Array;
    return [name, { ...original, data: values.map((value, index) => value + 0.05 * Math.sin(index ** 2)) }];
  });
  return { ...fixture, tensors: new Map(tensors) };
}

function withChangedValues(config: unknown): unknown {
  const changed = mapLeaves(config, (leaf) => (typeof leaf === 'number' ? leaf + 1 : leaf));
  const hasNumbers = JSON.stringify(changed) !== JSON.stringify(config);
  return hasNumbers ? changed : mapLeaves(config, (leaf) => (typeof leaf === 'string' ? `${leaf}?` : leaf));
}

function mapLeaves(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapLeaves(each, change));
  if (typeof value !== 'object' || value === null) return change(value);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapLeaves(each, change)]));
}

/**
 * Declares the tests of a package against the published implementations: each of its fixtures of a kind that it answers
 * for passes, and fails with changed weights; and it has a fixture of every such kind.
 */
export async function testParity(packageDirectory: string, parityChecks: ParityChecks): Promise<void> {
  const found = await findFixtures(join(packageDirectory, 'test/fixtures'));
  const answered = found.flatMap(({ file, kind }) => (kind && kind in parityChecks ? [{ file, kind }] : []));

  afterAll(closeEngine);

  describe('published implementations', () => {
    it('has fixtures of every kind it answers for', () => {
      expect([...new Set(answered.map(({ kind }) => kind))].sort()).toEqual(Object.keys(parityChecks).sort());
    });

    it.each(answered.map(({ file, kind }) => [basename(file), file, kind] as const))('%s', async (_, file, kind) => {
      const fixture = await readFixture(file);
      const check = parityChecks[kind]!;
      const result = await runParityCheck(check, fixture);
      expect(result.mismatches).toEqual([]);
      expect(result.forward).toBeLessThanOrEqual(1e-4);
      expect(result.gradient).toBeLessThanOrEqual(1e-3);
      expect(passes(await runParityCheck(check, withChangedWeights(fixture)))).toBe(false);
    });
  });
}
