import type { RecipeOutline } from './outline-recipe.js';
import { formatParameters, formatProducts, textTable } from './text-table.js';

/** Parts that the table gathers in one column: what stands between the encoders and the language model. */
const between = [
  'fusion',
  'projector',
  'newline',
  'projections',
  'embeddings',
  'managers',
  'bridges',
  'compressor',
  'mixers',
];

/** The language model and what lies in it, or the cross-modal part of a two-tower model. */
const behind = ['language', 'partial-lora', 'text-encoder', 'cross-modal', 'poolers', 'heads'];

/** All variants of a system as a table. */
export function formatOutlines(outlines: readonly RecipeOutline[]): string {
  const [first] = outlines as readonly [RecipeOutline, ...RecipeOutline[]];
  const rows = outlines.map(({ variant, visualTokens, context, parameters: { total, parts }, flops }) => {
    const sum = (names: readonly string[]) =>
      parts.reduce((all, { name, parameters }) => all + (names.includes(name) ? parameters : 0), 0);
    const [middle, last] = [sum(between), sum(behind)];
    return [
      variant,
      formatParameters(total),
      formatParameters(total - middle - last),
      formatParameters(middle),
      formatParameters(last),
      String(visualTokens),
      formatProducts(flops.encoders),
      formatProducts(flops.projection),
      `${formatProducts(flops.prefill)} (${context})`,
      `${((2 * total) / 1e9).toFixed(1)} GB`,
    ];
  });
  const header = [
    'variant',
    'parameters',
    'encoders',
    'between',
    'language',
    'visual tokens',
    'FLOPs: encoders',
    'projection',
    'prefill (tokens)',
    'in 16 bits',
  ];
  return [
    `${first.system} (${first.paper})`,
    '',
    ...textTable([header, ...rows]),
    '',
    'between: fusion, projector, managers, compressor, mixers. FLOPs are products; a multiplication and an addition are two.',
    `The whole plan of a variant: ocelli plan --recipe ${first.system}:${first.variant}`,
    '',
  ].join('\n');
}
