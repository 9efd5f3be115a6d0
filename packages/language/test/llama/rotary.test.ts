import { closeEngine, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { parseLlamaConfig, rotaryFrequencies } from '../../src/index.js';

const base = { hiddenSize: 64, numAttentionHeads: 2, maxPositionEmbeddings: 8 };

async function frequencies(ropeScaling: Parameters<typeof parseLlamaConfig>[0]['ropeScaling'], longest: number) {
  const config = parseLlamaConfig({ ...base, ropeScaling });
  return (await rotaryFrequencies(config, tensor(Int32Array.of(0, longest))).frequencies.data()) as Float32Array;
}

afterAll(closeEngine);

describe('rotaryFrequencies', () => {
  it('grows the dynamic base only beyond the trained length', async () => {
    const plain = await frequencies(null, 0);
    const within = await frequencies({ type: 'dynamic', factor: 2 }, 7);
    const beyond = await frequencies({ type: 'dynamic', factor: 2 }, 15);
    within.forEach((value, pair) => {
      expect(value / plain[pair]!).toBeCloseTo(1, 5);
    });
    // Twice the length: θ grows by 3^(32/30), the slowest pair by the power 30/32 of it.
    expect(plain[15]! / beyond[15]!).toBeCloseTo(3, 4);
    expect(beyond[0]).toBe(1);
  });

  it('scales tables for YaRN alone', () => {
    const scaling = (ropeScaling: Parameters<typeof parseLlamaConfig>[0]['ropeScaling']) =>
      rotaryFrequencies(parseLlamaConfig({ ...base, ropeScaling }), tensor(Int32Array.of(0))).scaling;
    expect(scaling({ type: 'yarn', factor: 4 })).toBeCloseTo(1.1386294, 6);
    expect(scaling({ type: 'yarn', factor: 4, attentionFactor: 2 })).toBe(2);
    expect(scaling({ type: 'linear', factor: 4 })).toBe(1);
  });
});
