import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parityChecks } from '../src/fixtures.js';
import { closeEngine, type Fixture, findFixtures, passes, readFixture, tolerance } from '../src/index.js';

const folder = fileURLToPath(new URL('fixtures', import.meta.url));
const fixtures = await findFixtures(folder);

/** The fixture with the first element of one tensor moved. */
function perturbed(fixture: Fixture, name: string): Fixture {
  const tensor = fixture.tensors.get(name)!;
  const data = Float32Array.from(tensor.data as Float32Array);
  data[0]! += 0.1;
  return { ...fixture, tensors: new Map([...fixture.tensors, [name, { ...tensor, data }]]) };
}

describe('published operators', () => {
  afterAll(closeEngine);

  it('are all registered, and each registered kind has a fixture', () => {
    expect(new Set(fixtures.map(({ kind }) => kind))).toEqual(new Set(Object.keys(parityChecks)));
  });

  it.each(fixtures)('agree with $kind', async ({ file, kind }) => {
    const result = await parityChecks[kind!]!(await readFixture(file));
    expect(result.mismatches).toEqual([]);
    expect(result.forward).toBeLessThanOrEqual(tolerance.forward);
    expect(result.gradient).toBeLessThanOrEqual(tolerance.gradient);
  });

  it.each([
    ['ops_conv', 'param.groups2.weight'],
    ['ops_grid_sample', 'in.bilinear_zeros_ac0.grid'],
    ['ops_interpolate', 'in.bicubic_up_ac0.x'],
    ['ops_misc', 'in.log_softmax.x'],
    ['ops_norm', 'param.batch_norm_eval.running_var'],
    ['ops_pool', 'in.avg_ceil.x'],
    ['quant', 'in.nbits4_sym_b32.W'],
    ['quant', 'in.nf4_b64_across_rows.A'],
  ])('of %s disagree when %s is changed', async (name, tensor) => {
    const fixture = await readFixture(`${folder}/backbones/${name}.safetensors`);
    expect(passes(await parityChecks[fixture.kind]!(perturbed(fixture, tensor)))).toBe(false);
  });

  it('of an unknown name, and missing tensors, are mismatches or errors that name them', async () => {
    const fixture = await readFixture(`${folder}/backbones/ops_norm.safetensors`);
    const check = parityChecks['backbones/ops_norm']!;
    const unknown = await check({ ...fixture, config: { cases: { first: { op: 'weight_norm' } } } });
    expect(unknown.mismatches).toEqual(['first: no operator "weight_norm"']);
    await expect(check({ ...fixture, config: {} })).rejects.toThrow(/at least one case/);
    await expect(check({ ...fixture, tensors: new Map() })).rejects.toThrow(/a tensor named x/);
  });
});
