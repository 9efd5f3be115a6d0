import {
  add,
  closeEngine,
  notEqual,
  randomKey,
  reshape,
  ShapeError,
  select,
  streamKey,
  tensor,
  where,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  BridgeFusion,
  type FusionInputs,
  ImageTextMatchingHead,
  LayerGate,
  ManagerFusion,
  type ManagerFusionConfigInput,
  MeterFusion,
  managerTypes,
  RankingHead,
  rankingLoss,
} from '../../src/index.js';
import { difference, normalTensor } from '../support.js';

afterAll(closeEngine);

const small = {
  hiddenSize: 8,
  numHeads: 2,
  numLayers: 3,
  textLayers: 5,
  imageLayers: 4,
  managedTextLayers: 3,
  managedImageLayers: 2,
} satisfies ManagerFusionConfigInput;

function inputs(textLevels: number, imageLevels: number): FusionInputs {
  return {
    text: Array.from({ length: textLevels }, (_, index) => normalTensor([2, 4, 8], `text ${index}`)),
    image: Array.from({ length: imageLevels }, (_, index) => normalTensor([2, 5, 8], `image ${index}`)),
    textMask: tensor(Int32Array.of(1, 1, 1, 1, 1, 1, 0, 0), [2, 4]),
  };
}

describe('ManagerFusion', () => {
  it('has as many parameters in its managers as the paper', () => {
    const fusion = new ManagerFusion();
    const managers = Object.entries(fusion.namedParameters()).filter(([name]) => name.includes('manager_tower'));
    const count = managers.reduce((total, [, { shape }]) => total + shape.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe(12_062_292);
  });

  it.each(managerTypes)('tells the weights of %s managers, layers by levels', async (type) => {
    const fusion = new ManagerFusion({ ...small, manager: { type } }).initialize(0);
    const { text, image } = await fusion.levelWeights(inputs(3, 2));
    expect(text.layers).toEqual([0, 1, 2]);
    expect(text.levels).toEqual(type === 'static' ? ['3', '4', '5', 'C1', 'C2'] : ['3', '4', '5', 'C']);
    expect(image.levels.slice(0, 2)).toEqual(['3', '4']);
    expect(text.weights[0]![3]).toBeNull();
    for (const row of text.weights) {
      expect(row.slice(0, 3).reduce<number>((total, weight) => total + weight!, 0)).toBeCloseTo(1, 5);
    }
    expect(JSON.parse(JSON.stringify(text))).toEqual(text);
  });

  it('needs inputs only where weights depend on them', async () => {
    await expect(new ManagerFusion(small).levelWeights()).rejects.toThrow(/inputs/);
    const fixed = await new ManagerFusion({ ...small, manager: { type: 'static-unimodal' } }).levelWeights();
    expect(fixed.image.weights[2]!.map((weight) => weight!.toFixed(2))).toEqual(['0.50', '0.50', '1.00']);
  });

  it('sees one image beside many texts', async () => {
    const fusion = new ManagerFusion(small).initialize(0);
    const many = inputs(3, 2);
    const one = { ...many, image: many.image.map(() => normalTensor([1, 5, 8], 'one')) };
    const repeated = {
      ...many,
      image: one.image.map(() => tensor(new Float32Array([...oneImage, ...oneImage]), [2, 5, 8])),
    };
    expect(await difference(fusion.forward(one).pooled, fusion.forward(repeated).pooled)).toBeLessThan(1e-6);
  });

  it('does not look at padded text', async () => {
    // Static managers: adaptive ones let padding into their query, as published.
    const fusion = new ManagerFusion({ ...small, manager: { type: 'static-unimodal' } }).initialize(0);
    const given = inputs(3, 2);
    const seen = reshape(notEqual(given.textMask!, 0), [2, 4, 1]);
    const others = given.text.map((state) => where(seen, state, 3));
    expect(await difference(fusion.forward(given).image, fusion.forward({ ...given, text: others }).image)).toBe(0);
    const shown = { textMask: undefined };
    const [a, b] = [
      { ...given, ...shown },
      { ...given, text: others, ...shown },
    ];
    expect(await difference(fusion.forward(a).image, fusion.forward(b).image)).toBeGreaterThan(1e-3);
  });

  it('drops and explores under a training key; noise of adaptive managers alone is an option', async () => {
    const key = { trainingKey: streamKey(randomKey(3)) };
    const still = { hiddenDropout: 0, attentionDropout: 0 };
    const movement = async (config: ManagerFusionConfigInput) => {
      const fusion = new ManagerFusion({ ...small, ...config }).initialize(0);
      return difference(fusion.forward(inputs(3, 2), key).pooled, fusion.forward(inputs(3, 2)).pooled);
    };
    expect(await movement({})).toBeGreaterThan(1e-3);
    expect(await movement({ ...still, manager: { explorationNoise: 'none' } })).toBe(0);
    expect(await movement({ ...still, manager: { explorationNoise: 'adaptive' } })).toBeGreaterThan(1e-4);
    expect(await movement({ ...still, manager: { type: 'static-unimodal', explorationNoise: 'adaptive' } })).toBe(0);
    expect(await movement({ ...still, manager: { type: 'static-unimodal' } })).toBeGreaterThan(1e-4);
  });

  it('refuses other numbers of layers, and types of images it has no row for', () => {
    const fusion = new ManagerFusion(small);
    expect(() => fusion.forward(inputs(2, 2))).toThrow(ShapeError);
    expect(() => fusion.forward({ ...inputs(3, 2), imageTokenType: 2 })).toThrow(/token type below 2/);
    expect(() => new ManagerFusion({ ...small, managedTextLayers: 6 })).toThrow(/managedTextLayers/);
    expect(() => new ManagerFusion({ ...small, numHeads: 3 })).toThrow(/numHeads/);
  });
});

const oneImage = await (async () => Array.from((await normalTensor([1, 5, 8], 'one').data()) as Float32Array))();

describe('BridgeFusion', () => {
  it('takes one layer of each encoder per cross-modal layer', () => {
    const fusion = new BridgeFusion({ hiddenSize: 8, numHeads: 2, numLayers: 3 }).initialize(0);
    const { text, image, pooled } = fusion.forward(inputs(3, 3));
    expect([text.shape, image.shape, pooled.shape]).toEqual([
      [2, 4, 8],
      [2, 5, 8],
      [2, 16],
    ]);
    expect(() => fusion.forward(inputs(3, 2))).toThrow(ShapeError);
  });
});

describe('MeterFusion', () => {
  const sizes = { hiddenSize: 8, numHeads: 2, numLayers: 2 };

  it('has the blocks and poolers of BridgeTower, and neither bridges nor managers', () => {
    const base = new MeterFusion();
    const bridges = new BridgeFusion();
    // 12 norms of width 768: those of 10 bridges, and two in front of the first layers.
    expect(bridges.parameterCount() - base.parameterCount()).toBe(12 * 2 * 768);
    const names = Object.keys(base.namedParameters());
    expect(Object.keys(bridges.namedParameters()).filter((name) => !/link_tower|_layernorm/.test(name))).toEqual(names);
  });

  it('gives the blocks of a layer what both were before it', async () => {
    const fusion = new MeterFusion(sizes).initialize(0);
    const { text, image } = fusion.forward(inputs(1, 1));
    const given = inputs(1, 1);
    const types = (row: number) => select(fusion.token_type_embeddings.weight, 0, row);
    let [t, v] = [add(given.text[0]!, types(0)), add(given.image[0]!, types(1))];
    for (const layer of [0, 1]) {
      [t, v] = [
        fusion.cross_modal_text_layers[layer]!.forward(t, { context: v, mask: given.textMask }),
        fusion.cross_modal_image_layers[layer]!.forward(v, { context: t, contextMask: given.textMask }),
      ];
    }
    expect(await difference(text, t)).toBeLessThan(1e-6);
    expect(await difference(image, v)).toBeLessThan(1e-6);
    expect(() => fusion.forward(inputs(2, 1))).toThrow(ShapeError);
  });

  it('drops under a training key alone', async () => {
    const fusion = new MeterFusion(sizes).initialize(0);
    const key = { trainingKey: streamKey(randomKey(3)) };
    expect(
      await difference(fusion.forward(inputs(1, 1), key).pooled, fusion.forward(inputs(1, 1)).pooled),
    ).toBeGreaterThan(1e-5);
  });
});

describe('LayerGate', () => {
  it('adds a softmax over the earlier layers to the last one', async () => {
    const gate = new LayerGate(2);
    gate.floatWeight.set(Float32Array.of(1, 0, 0, 2));
    gate.bias!.set(Float32Array.of(0, 0));
    const states = [
      [1, -1],
      [3, 0.5],
      [10, 20],
    ].map((values) => tensor(values, [1, 1, 2]));
    const weight = (a: number, b: number) => Math.exp(a) / (Math.exp(a) + Math.exp(b));
    const expected = [10 + weight(1, 3) * 1 + weight(3, 1) * 3, 20 + weight(-2, 1) * -1 + weight(1, -2) * 0.5];
    const computed = (await gate.sum(states).data()) as Float32Array;
    expected.forEach((value, index) => {
      expect(computed[index]).toBeCloseTo(value, 5);
    });
    expect(() => gate.sum(states.slice(2))).toThrow(ShapeError);
  });
});

describe('RankingHead', () => {
  it('starts as class 1 of matching, and ranks', async () => {
    const matching = new ImageTextMatchingHead(4).initialize(1);
    matching.fc.bias!.set(Float32Array.of(0.5, -0.25));
    const head = new RankingHead(4).initialize(2);
    await head.startFrom(matching);
    const pooled = normalTensor([3, 8]);
    expect(await difference(head.score(pooled), select(matching.forward(pooled), 1, 1))).toBeLessThan(1e-6);
  });

  it('is trained to put the matching text first', async () => {
    const loss = await rankingLoss(tensor([[2, 0, 1]])).item();
    expect(loss).toBeCloseTo(-Math.log(Math.exp(2) / (Math.exp(2) + 1 + Math.E)), 5);
  });
});
