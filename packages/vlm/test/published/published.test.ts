import { sizeOf } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import {
  createPublished,
  ManagedVisionLanguageModel,
  modelParts,
  type PublishedSystem,
  publishedSystems,
  VisionLanguageModel,
} from '../../src/index.js';

const small = { numHiddenLayers: 2, hiddenSize: 16, intermediateSize: 32, numAttentionHeads: 2 };
const tower = { ...small, type: 'clip', imageSize: 32, patchSize: 8 } as const;
const language = { ...small, vocabSize: 40 };

const sizes = (model: Parameters<typeof modelParts>[0]) =>
  Object.fromEntries(
    Object.entries(modelParts(model)).map(([part, group]) => [
      part,
      Object.values(group).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    ]),
  );

describe('modelParts', () => {
  it('names encoders of a mixture, its fusion, and what follows', () => {
    const mixture = {
      type: 'mixture',
      encoders: [{ encoder: tower }, { encoder: { type: 'clip-high-resolution', vision: tower } }],
      fusion: { type: 'sequence-append', outputWidth: 16, grid: 4 },
      imageSize: 32,
    } as const;
    const model = new VisionLanguageModel({ vision: mixture, projector: { type: 'mlp', depth: 0 }, language });
    const parts = modelParts(model);
    // Two encoders of one name are one part.
    expect(Object.keys(parts)).toEqual(['clip', 'fusion', 'language']);
    expect(Object.keys(parts.fusion!)).toContain('vision.fusion.projectors.0.0.weight');
    const total = Object.values(sizes(model)).reduce((sum, each) => sum + each, 0);
    expect(total).toBe(model.parameterCount());
  });

  it('puts every parameter of any model into one part', () => {
    const model = new ManagedVisionLanguageModel({
      vision: tower,
      language,
      managers: { select: { start: 0, end: 2 }, inject: { start: 0, interval: 1, end: 2 } },
    });
    const names = Object.values(modelParts(model)).flatMap((group) => Object.keys(group));
    expect(names.sort()).toEqual(Object.keys(model.namedParameters()).sort());
    // Three static weights of two levels (the first manager leaves one out), and an embedding of each level.
    expect(sizes(model)).toMatchObject({ newline: 16, managers: 16 * (1 + 2 + 2) });
  });
});

describe('publishedSystems', () => {
  const variants = Object.entries<PublishedSystem>(publishedSystems).flatMap(([system, { variants: all }]) =>
    Object.entries(all).map(([name, variant]) => [`${system}:${name}`, variant] as const),
  );

  it.each(variants)('%s is plain data that builds the same model again', (_, { architecture }) => {
    const copy = JSON.parse(JSON.stringify(architecture)) as typeof architecture;
    const [first, second] = [architecture, copy].map(createPublished);
    expect(second!.config).toEqual(first!.config);
    expect(second!.parameterCount()).toBe(first!.parameterCount());
  });

  it('has a figure with a source for every variant, and stages with names of their own', () => {
    for (const [name, { figures, stages }] of variants) {
      expect(figures.length, name).toBeGreaterThan(0);
      expect(new Set(stages.map((stage) => stage.name)).size, name).toBe(stages.length);
      expect([...figures, ...stages].every(({ source }) => source.length > 0)).toBe(true);
    }
  });
});
