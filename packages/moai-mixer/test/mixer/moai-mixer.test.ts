import {
  ConfigError,
  closeEngine,
  randomKey,
  ShapeError,
  sliceAxis,
  streamKey,
  tensor,
  withTrainingKey,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  drawExperts,
  MoaiExpert,
  MoaiMixer,
  MoaiMixers,
  type MoaiMixersConfigInput,
  parseMoaiMixerConfig,
  routingOf,
} from '../../src/index.js';
import { distance, drawn, mask, random, values } from '../support.js';

afterAll(closeEngine);

const config = { hiddenSize: 8, numHeads: 2, rank: 3 } as const;
const float32 = { kind: 'gates', precision: 'float32' } as const;

describe('MoaiExpert', () => {
  it('reads what is visible only', async () => {
    const expert = drawn(new MoaiExpert(parseMoaiMixerConfig(config)));
    const [query, context] = [random([1, 4, 8]), random([1, 5, 8], 1)];
    const expected = expert.forward(query, sliceAxis(context, 1, 1, 3));
    expect(await distance(expert.forward(query, context, mask([[0, 1, 1, 0, 0]])), expected)).toBeLessThan(1e-6);
    expect(await distance(expert.forward(query, context), expected)).toBeGreaterThan(1e-3);
  });

  it('gives its query back where nothing is visible', async () => {
    const expert = drawn(new MoaiExpert(parseMoaiMixerConfig(config)));
    const query = random([1, 4, 8]);
    expect(await distance(expert.forward(query, random([1, 2, 8], 1), mask([[0, 0]])), query)).toBe(0);
  });
});

describe('MoaiMixer', () => {
  const mixer = drawn(new MoaiMixer(config));
  const x = random([2, 5, 8]);
  const aux = random([2, 3, 8], 1);
  const imageMask = mask([
    [0, 1, 1, 0, 0],
    [0, 0, 0, 0, 0],
  ]);
  const languageMask = mask([
    [0, 0, 0, 1, 0],
    [0, 1, 1, 1, 1],
  ]);

  it('leaves what is in neither mask unmixed', async () => {
    const mixed = await values(mixer.forward(x, { aux, imageMask, languageMask, routing: float32 }));
    const given = await values(x);
    const changed = Array.from({ length: 10 }, (_, token) =>
      given.slice(token * 8, token * 8 + 8).some((value, index) => value !== mixed[token * 8 + index]),
    );
    expect(changed).toEqual([false, true, true, true, false, false, true, true, true, true]);
  });

  it('mixes each sample as it would alone', async () => {
    const together = mixer.forward(x, { aux, imageMask, languageMask, routing: float32 });
    for (const row of [0, 1]) {
      const of = (each: Parameters<typeof sliceAxis>[0]) => sliceAxis(each, 0, row, row + 1);
      const alone = mixer.forward(of(x), {
        aux: of(aux),
        imageMask: of(imageMask),
        languageMask: of(languageMask),
        routing: float32,
      });
      expect(await distance(of(together), alone)).toBeLessThan(1e-6);
    }
  });

  it('weighs by gates in half precision as they round', async () => {
    const [exact, half, brain] = await Promise.all(
      (['float32', 'float16', 'bfloat16'] as const).map((precision) =>
        values(mixer.expertWeights(x, { kind: 'gates', precision }).image),
      ),
    );
    const worst = (other: readonly number[]) =>
      Math.max(...exact!.map((weight, index) => Math.abs(weight - other[index]!)));
    expect(worst(half!)).toBeGreaterThan(0);
    expect(worst(half!)).toBeLessThan(2e-3);
    expect(worst(brain!)).toBeGreaterThan(worst(half!));
    expect(worst(brain!)).toBeLessThan(2e-2);
    // Every float16 is a multiple of 2⁻²⁴.
    expect(half!.every((weight) => Number.isInteger(weight * 2 ** 24))).toBe(true);
  });

  it('refuses masks and auxiliary tokens of other shapes', () => {
    const options = { aux, imageMask, languageMask, routing: float32 };
    expect(() => mixer.forward(x, { ...options, aux: random([1, 3, 8]) })).toThrow(ShapeError);
    expect(() => mixer.forward(x, { ...options, imageMask: mask([[1, 0, 0, 0, 0]]) })).toThrow(ShapeError);
    expect(() => new MoaiMixer({ ...config, numHeads: 3 })).toThrow('must divide hiddenSize');
  });
});

describe('drawExperts', () => {
  it('takes all pairs alike, and other ones in other layers', async () => {
    const counts = new Map<string, number>();
    let differing = 0;
    for (let seed = 0; seed < 180; seed++) {
      const key = streamKey(randomKey(seed));
      const [first, second] = await Promise.all([7, 15].map((layer) => values(drawExperts(key, layer))));
      counts.set(first!.join(), (counts.get(first!.join()) ?? 0) + 1);
      if (first!.join() !== second!.join()) differing++;
    }
    expect(counts.size).toBe(9);
    expect(Math.min(...counts.values())).toBeGreaterThan(5);
    expect(differing).toBeGreaterThan(130);
  });
});

describe('MoaiMixers', () => {
  const small: MoaiMixersConfigInput = { ...config, layers: [1, 3] };
  const x = random([1, 4, 8]);
  const aux = random([1, 2, 8], 1);
  const visualMask = mask([[0, 1, 1, 0]]);

  it('have the published places and size', () => {
    const mixers = new MoaiMixers();
    expect(mixers.config.layers).toEqual([7, 15, 23, 31]);
    expect(mixers.parameterCount()).toBe(50_429_976);
    expect(Object.keys(mixers.namedParameters())).toContain('layers.7.moai_CA_img_aux.linear_q.0.weight');
  });

  it('mix in their own layers only', async () => {
    const hooks = drawn(new MoaiMixers(small)).hooks({ aux });
    expect(hooks.beforeAttention(x, { layer: 0, visualMask })).toBe(x);
    expect(await distance(hooks.beforeAttention(x, { layer: 3, visualMask }), x)).toBeGreaterThan(1e-3);
  });

  it('take all but image and padding for language', async () => {
    const mixers = drawn(new MoaiMixers(small));
    const attentionMask = tensor(Int32Array.of(0, 1, 1, 1), [1, 4]);
    const mixed = mixers.hooks({ aux }).beforeAttention(x, { layer: 1, visualMask, attentionMask });
    const languageMask = mask([[0, 0, 0, 1]]);
    const expected = mixers.hooks({ aux, languageMask }).beforeAttention(x, { layer: 1, visualMask });
    expect(await distance(mixed, expected)).toBe(0);
  });

  it('need a training key where experts are drawn', () => {
    const hooks = new MoaiMixers(small).hooks({ aux, mode: 'step1' });
    const mix = () => hooks.beforeAttention(x, { layer: 1, visualMask });
    expect(mix).toThrow(ConfigError);
    expect(() => withTrainingKey(streamKey(randomKey(1)), mix)).not.toThrow();
  });

  it('round their gates as published, each step its own way, or not at all', () => {
    const routingOfPass = (gatePrecision: 'official' | 'float32', mode: 'step2' | 'evaluation') =>
      routingOf(mode, { gatePrecision: new MoaiMixers({ ...small, gatePrecision }).config.gatePrecision, layer: 1 });
    expect(routingOfPass('official', 'step2')).toEqual({ kind: 'gates', precision: 'bfloat16' });
    expect(routingOfPass('official', 'evaluation')).toEqual({ kind: 'gates', precision: 'float16' });
    expect(routingOfPass('float32', 'step2')).toEqual({ kind: 'gates', precision: 'float32' });
    expect(new MoaiMixers(small).config.gatePrecision).toBe('official');
  });

  it('refuse a layer twice', () => {
    expect(() => new MoaiMixers({ ...small, layers: [1, 1] })).toThrow('must not repeat');
  });
});
