import {
  ConfigError,
  closeEngine,
  Linear,
  randomKey,
  streamKey,
  withTrainingKey,
  withVisualMask,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { addPartialLora } from '../../src/index.js';
import { distance, drawn, mask, random, values } from '../support.js';

afterAll(closeEngine);

const x = random([1, 3, 6]);
const visual = mask([[0, 1, 0]]);

describe('addPartialLora', () => {
  it('corrects image positions only', async () => {
    const layer = new Linear(6, 4);
    const before = await values(layer.forward(x));
    addPartialLora([layer], 'q', { rank: 2, alpha: 4, dropout: 0 });
    drawn(layer.adapter!);
    expect(await values(layer.forward(x))).toEqual(before);
    const after = await values(withVisualMask(visual, () => layer.forward(x)));
    expect(after.slice(0, 4)).toEqual(before.slice(0, 4));
    expect(after.slice(8)).toEqual(before.slice(8));
    expect(Math.abs(after[4]! - before[4]!)).toBeGreaterThan(1e-3);
  });

  it('lets layers with one input share their first projection and what it drops', async () => {
    const layers = [new Linear(6, 4), new Linear(6, 2)];
    addPartialLora(layers, 'qkv', { rank: 3, dropout: 0.5 });
    const names = layers.map((layer) => Object.keys(layer.namedParameters()));
    expect(names[0]).toContain('adapter.Plora_A.weight');
    const [a, b] = layers.map((layer) => layer.namedParameters()['adapter.Plora_A.weight']);
    expect(a).toBe(b);
    expect(a!.shape).toEqual([3, 6]);
  });

  it('drops in training only', async () => {
    const layer = new Linear(6, 4);
    addPartialLora([layer], 'q', { rank: 2, dropout: 0.5 });
    drawn(layer.adapter!);
    const run = () => withVisualMask(visual, () => layer.forward(x));
    const trained = (seed: number) => withTrainingKey(streamKey(randomKey(seed)), run);
    expect(await distance(run(), run())).toBe(0);
    expect(await distance(trained(1), trained(1))).toBe(0);
    expect(await distance(trained(1), trained(2))).toBeGreaterThan(1e-3);
  });

  it('refuses layers with inputs of different widths', () => {
    expect(() => addPartialLora([new Linear(6, 4), new Linear(5, 4)], 'q')).toThrow(ConfigError);
    expect(() => addPartialLora([], 'q')).toThrow('no layer');
  });
});
