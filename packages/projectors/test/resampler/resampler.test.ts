import { closeEngine, randomKey, streamKey, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { Resampler } from '../../src/index.js';
import { normalTensor } from '../support.js';

const config = {
  visionWidth: 12,
  languageWidth: 20,
  outputTokens: 5,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
} as const;

/** Largest difference between the first token and any other. */
async function spread(resampler: Resampler): Promise<number> {
  const values = (await resampler.forward(normalTensor(1, 9, 12)).data()) as Float32Array;
  return values.reduce((most, value, index) => Math.max(most, Math.abs(value - values[index % 20]!)), 0);
}

afterAll(closeEngine);

describe('Resampler', () => {
  it('makes equal tokens from the official zero start, and different ones from the normal start', async () => {
    expect(await spread(new Resampler(config).initialize(1))).toBeLessThan(1e-6);
    expect(await spread(new Resampler({ ...config, queryStart: 'normal' }).initialize(1))).toBeGreaterThan(1e-3);
  });

  it('drops attention weights only with a key, the same ones for the same key', async () => {
    const resampler = new Resampler({ ...config, queryStart: 'normal', attentionDropout: 0.5 }).initialize(1);
    const features = normalTensor(2, 9, 12);
    const run = (seed?: number) =>
      resampler.forward(features, seed === undefined ? {} : { dropoutKey: streamKey(randomKey(seed)) }).data();
    const plain = await run();
    expect(await run()).toEqual(plain);
    const dropped = await run(1);
    expect(dropped).not.toEqual(plain);
    expect(await run(1)).toEqual(dropped);
    expect(await run(2)).not.toEqual(dropped);
  });

  it('does not mind the order of the features without positions, and does with them', async () => {
    const features = (await normalTensor(1, 9, 12).data()) as Float32Array;
    const reversed = Float32Array.from(
      { length: 9 * 12 },
      (_, i) => features[(8 - Math.floor(i / 12)) * 12 + (i % 12)]!,
    );
    const difference = async (resampler: Resampler) => {
      const [a, b] = [await run(resampler, features), await run(resampler, reversed)];
      return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
    };
    expect(await difference(new Resampler(config).initialize(1))).toBeLessThan(1e-6);
    const withPositions = new Resampler({ ...config, positionEmbedding: true, inputTokens: 9 }).initialize(1);
    withPositions.pos_emb!.set(Float32Array.from({ length: 9 * 12 }, (_, i) => Math.sin(i ** 2)));
    expect(await difference(withPositions)).toBeGreaterThan(1e-5);
  });
});

async function run(resampler: Resampler, values: Float32Array): Promise<Float32Array> {
  return (await resampler.forward(tensor(values, [1, 9, 12])).data()) as Float32Array;
}
