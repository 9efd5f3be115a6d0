import { fileURLToPath } from 'node:url';
import { closeEngine, type Fixture, findFixtures, passes, readFixture, tolerance } from '@ocelli/core-tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { parityChecks } from '../src/fixtures.js';

const folder = fileURLToPath(new URL('fixtures', import.meta.url));
const fixtures = await findFixtures(folder);

/** The fixture with the first element of one tensor moved. */
function perturbed(fixture: Fixture, name: string): Fixture {
  const tensor = fixture.tensors.get(name)!;
  const data = Float32Array.from(tensor.data as Float32Array);
  data[0]! += 0.1;
  return { ...fixture, tensors: new Map([...fixture.tensors, [name, { ...tensor, data }]]) };
}

/** A JSON fixture with one value replaced. */
function altered(fixture: Fixture, alter: (config: never) => void): Fixture {
  const config = structuredClone(fixture.config);
  alter(config as never);
  return { ...fixture, config };
}

async function passesWith(name: string, change: (fixture: Fixture) => Fixture): Promise<boolean> {
  const fixture = await readFixture(`${folder}/${name}`);
  return passes(await parityChecks[fixture.kind]!(change(fixture)));
}

describe('published optimizers and schedules', () => {
  afterAll(closeEngine);

  test('are all registered, and each registered kind has a fixture', () => {
    expect(new Set(fixtures.map(({ kind }) => kind))).toEqual(new Set(Object.keys(parityChecks)));
  });

  test.each(fixtures)('agree with $file', async ({ file, kind }) => {
    const result = await parityChecks[kind!]!(await readFixture(file));
    expect(result.mismatches).toEqual([]);
    expect(result.forward).toBeLessThanOrEqual(tolerance.forward);
    expect(result.gradient).toBeLessThanOrEqual(tolerance.gradient);
  });

  test.each([
    ['backbones/adamw_cosine.safetensors', 'in.step03.grad.w1'],
    ['backbones/adamw_hf_polynomial.safetensors', 'in.start.norm.weight'],
    ['backbones/schedules.safetensors', 'out.linear'],
  ])('disagree with %s when %s is changed', async (name, tensor) => {
    expect(await passesWith(name, (fixture) => fixture)).toBe(true);
    expect(await passesWith(name, (fixture) => perturbed(fixture, tensor))).toBe(false);
  });

  test('tell the two rules of AdamW apart', async () => {
    const change = (fixture: Fixture) =>
      altered(fixture, (config: { optimizer: string }) => {
        config.optimizer = 'adamw';
      });
    expect(await passesWith('backbones/adamw_hf_polynomial.safetensors', change)).toBe(false);
  });

  test('disagree when a number of a JSON fixture is changed', async () => {
    const changes: readonly [string, (config: never) => void][] = [
      [
        'honeybee/schedule_and_mixing.json',
        (config: { learning_rate: { warmup: number }[] }) => config.learning_rate[0]!.warmup++,
      ],
      [
        'honeybee/schedule_and_mixing.json',
        (config: { mixing: { sizes: number[] }[] }) => config.mixing[1]!.sizes[0]!++,
      ],
      [
        'convllava/schedule.json',
        (config: { cases: { warmup_ratio: number }[] }) => (config.cases[0]!.warmup_ratio = 0.04),
      ],
      ['manager/mt_optimizer_groups.json', (config: { lr_mult_head: number }) => config.lr_mult_head++],
    ];
    for (const [name, change] of changes)
      expect(await passesWith(name, (fixture) => altered(fixture, change))).toBe(false);
  });
});
