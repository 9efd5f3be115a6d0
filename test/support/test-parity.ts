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
 * The fixture with its weights changed (its inputs if it has none), irregularly: norms undo a regular change. Without
 * tensors, with its numbers changed.
 */
function withChangedWeights(fixture: Fixture): Fixture {
  if (fixture.tensors.size === 0) return { ...fixture, config: withChangedNumbers(fixture.config) };
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

function withChangedNumbers(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (Array.isArray(value)) return value.map(withChangedNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withChangedNumbers(each)]));
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
