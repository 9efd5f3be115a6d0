import {
  ConfigError,
  closeEngine,
  type Linear,
  type Parameter,
  randomKey,
  streamKey,
  sum,
  tensor,
  valueAndGrad,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { DAbstractor, initialReferencePoints } from '../../src/index.js';
import { normalTensor } from '../support.js';

const config = {
  visionWidth: 12,
  languageWidth: 20,
  inputTokens: 16,
  outputTokens: 4,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
} as const;

afterAll(closeEngine);

async function numbers(projector: DAbstractor, ...arguments_: Parameters<DAbstractor['forward']>): Promise<number[]> {
  return [...((await projector.forward(...arguments_).data()) as Float32Array)];
}

describe('initialReferencePoints', () => {
  it('spreads the outer points to the centres of the outer features, x before y, row by row', () => {
    const points = initialReferencePoints(16, 9);
    const expected = [0.125, 0.5, 0.875].flatMap((y) => [0.125, 0.5, 0.875].flatMap((x) => [x, y]));
    points.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 6);
    });
    expect([...initialReferencePoints(16, 1)]).toEqual([0.125, 0.125]);
  });

  it.each([
    [15, 9],
    [16, 8],
    [16, 0],
  ])('refuses %i features and %i tokens', (features, tokens) => {
    expect(() => initialReferencePoints(features, tokens)).toThrow(ConfigError);
  });
});

describe('DAbstractor', () => {
  it('starts with the reference points on the grid, whatever the seed', async () => {
    const values = await (new DAbstractor(config).initialize(7).reference_points as Parameter).data();
    expect(values).toEqual(initialReferencePoints(16, 4));
  });

  it('starts its offsets as all else, as published, or in the directions of Deformable DETR', async () => {
    const biasOf = async (offsetStart?: 'normal' | 'directions') => {
      const projector = new DAbstractor({ ...config, ...(offsetStart && { offsetStart }) }).initialize(1);
      const { sampling_offsets: offsets } = projector.layers[0]!.encoder_attn;
      const [weight, bias] = await Promise.all([offsets.floatWeight.data(), offsets.bias!.data()]);
      return { hasWeight: (weight as Float32Array).some((value) => value !== 0), bias: [...(bias as Float32Array)] };
    };
    const published = await biasOf();
    expect(published.hasWeight).toBe(true);
    expect(published.bias.every((value) => value === 0)).toBe(true);
    const directed = await biasOf('directions');
    expect(directed.hasWeight).toBe(false);
    // Two heads of four points each: to the right, and to the left.
    directed.bias.forEach((value, index) => {
      const [head, point, axis] = [Math.floor(index / 8), Math.floor(index / 2) % 4, index % 2];
      expect(value).toBeCloseTo(axis === 1 ? 0 : (head === 0 ? 1 : -1) * (point + 1), 5);
    });
  });

  it('does not look at the features twice as far away as its map is wide', async () => {
    const projector = new DAbstractor({ ...config, positionEmbedding: false, pooledTarget: 'none' }).initialize(1);
    (projector.reference_points as Parameter).set(new Float32Array(8).fill(3));
    expect(await numbers(projector, normalTensor(1, 16, 12))).toEqual(
      await numbers(projector, tensor(new Float32Array(192).fill(5), [1, 16, 12])),
    );
  });

  it('gives the pooled features either role, or none', async () => {
    const features = normalTensor(2, 16, 12);
    const outputs = await Promise.all(
      (['query', 'target', 'none'] as const).map((pooledTarget) =>
        numbers(new DAbstractor({ ...config, pooledTarget }).initialize(1), features),
      ),
    );
    expect(new Set(outputs.map((values) => values[0])).size).toBe(3);
    const { query_position_embeddings } = new DAbstractor({ ...config, pooledTarget: 'none' });
    expect(query_position_embeddings.weight.shape).toEqual([4, 32]);
  });

  it('takes reference points from the queries, as Deformable DETR, where none are on a grid', async () => {
    const projector = new DAbstractor({ ...config, referencePoints: 'queries', pooledTarget: 'none' }).initialize(1);
    const parameters = projector.namedParameters();
    expect(parameters['reference_points.weight']!.shape).toEqual([2, 16]);
    const { reference_points } = projector as { readonly reference_points: Linear };
    reference_points.floatWeight.set(new Float32Array(32));
    // The inverse of the sigmoid.
    const places = [0.375, 0.625];
    reference_points.bias!.set(Float32Array.from(places, (place) => Math.log(place / (1 - place))));
    const fixed = new DAbstractor({ ...config, pooledTarget: 'none' }).initialize(1);
    const { 'reference_points.weight': _, 'reference_points.bias': __, ...state } = await projector.state();
    const points = Float32Array.from([...places, ...places, ...places, ...places]);
    fixed.loadState({ ...state, reference_points: { shape: [1, 4, 2], data: points } });
    const features = normalTensor(2, 16, 12);
    const expected = await numbers(fixed, features);
    (await numbers(projector, features)).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 5);
    });
    const trained = new DAbstractor({ ...config, referencePoints: 'queries', initializerRange: 0.3 }).initialize(1);
    const weight = { weight: (trained.reference_points as Linear).floatWeight };
    const { grads } = await valueAndGrad(() => sum(trained.forward(features)), weight);
    expect(((await grads.weight!.data()) as Float32Array).some((value) => value !== 0)).toBe(true);
  });

  it('drops on the residual branches only with a key, the same for the same key', async () => {
    const projector = new DAbstractor({ ...config, initializerRange: 0.3, dropout: 0.5 }).initialize(1);
    const features = normalTensor(2, 16, 12);
    const run = (seed?: number) =>
      numbers(projector, features, seed === undefined ? {} : { dropoutKey: streamKey(randomKey(seed)) });
    const plain = await run();
    expect(await run()).toEqual(plain);
    const dropped = await run(1);
    expect(dropped).not.toEqual(plain);
    expect(await run(1)).toEqual(dropped);
    expect(await run(2)).not.toEqual(dropped);
  });

  it('refuses features of another number than it has reference points for', () => {
    expect(() => new DAbstractor(config).forward(normalTensor(1, 25, 12))).toThrow(
      'DAbstractor: expected features [batch, 16, 12], received [1, 25, 12]',
    );
  });
});
