import { type PublishedSystem, type PublishedVariant, publishedSystems } from '@ocelli/vlm';
import { describe, expect, test } from 'vitest';
import { type ComparedFigure, compareFigures } from '../../src/plan/compare-figures.js';

const variants: [name: string, variant: PublishedVariant][] = Object.entries<PublishedSystem>(publishedSystems).flatMap(
  ([system, { variants: all }]) =>
    Object.entries(all).map(([name, variant]): [string, PublishedVariant] => [`${system}:${name}`, variant]),
);

const describeFigure = ({ quantity, found, published, beside, tolerance, source }: ComparedFigure) =>
  `${quantity}: ${found} (${beside} of it beside), published ${published} ± ${tolerance}, ${source}`;

describe('published figures', () => {
  test.each(variants)('of %s agree, but for those that are known not to', (_, variant) => {
    const figures = compareFigures(variant);
    expect(figures.some(({ quantity }) => quantity === 'visualTokens')).toBe(true);
    for (const figure of figures) {
      expect(figure.agrees, describeFigure(figure)).toBe(figure.expected);
      // Who disagrees, or counts something else, says why.
      if (!figure.expected || figure.beside > 0) expect(figure.note).toMatch(/\w{3}/);
      expect(figure.source).not.toBe('');
    }
  });

  test('that disagree are these', () => {
    const disagreeing = variants.flatMap(([name, { figures }]) =>
      figures.filter(({ agrees }) => agrees === false).map(({ value }) => [name, value / 1e6]),
    );
    expect(disagreeing).toEqual([
      ['honeybee:resampler-7b-m144', 105],
      ['eagle:clip-convnext-mini-gemini', 1201],
      ['eagle:clip-convnext-mini-gemini-pyramid', 1201],
      ['eagle:clip-convnext-deformable', 1201],
    ]);
  });

  /** The comparison itself is not made of the numbers that it compares. */
  test('are noticed if the model is another one', () => {
    const variant: PublishedVariant = publishedSystems.honeybee.variants['c-7b-m144'];
    const { architecture } = variant as PublishedVariant & { architecture: { kind: 'vision-language' } };
    const projector = { type: 'c-abstractor', outputTokens: 121, depth: 2 } as const;
    const changed = { ...variant, architecture: { ...architecture, config: { ...architecture.config, projector } } };
    expect(compareFigures(changed).map(({ quantity, agrees }) => [quantity, agrees])).toEqual([
      ['visualTokens', false],
      ['parameters', false],
    ]);
  });
});

/** Rows that the specifications of the systems name, whatever the tables here hold: parameters in millions. */
describe.each([
  ['manager:managertower-base', 338.64],
  ['manager:managertower-base-static', 326.77],
  ['manager:managertower-base-own-query', 326.77],
  ['manager:bridgetower-base', 326.58],
  ['manager:llava-ov', 893.62],
  ['manager:llava-ov-grid', 893.62],
  ['manager:llava-ov-manager', 893.7],
  ['manager:llava-ov-manager-grid', 893.7],
  ['honeybee:c-7b-m144', 37.070336],
  ['honeybee:c-13b-m576', 47.885824],
  ['honeybee:d-7b-m144', 55.616352],
  ['honeybee:d-13b-m256', 57.108544],
  ['convllava:768', 669.161664],
  ['convllava:four-stage-768-frozen', 196.227264],
  ['moai:7b', 8868.63772],
  ['eagle:clip-convnext-append', 1200],
  ['eagle:clip-convnext-concat', 1184],
  ['eagle:clip-convnext-llava-hr', 1219],
  ['eagle:clip-convnext-mini-gemini-3072', 1201],
  ['eagle:clip-convnext-sam-append', 1529],
  ['eagle:clip-convnext-sam-concat', 1495],
  ['eagle:x3', 1459.6],
  ['eagle:x4-7b', 1974.1],
  ['eagle:x5-7b', 2282.8],
])('%s', (name, expected) => {
  test(`has ${expected} M`, () => {
    const [, variant] = variants.find(([each]) => each === name)!;
    const figure = compareFigures(variant).find(
      ({ quantity, published }) => quantity === 'parameters' && published === Math.round(expected * 1e6),
    );
    expect(figure?.agrees).toBe(true);
  });
});
