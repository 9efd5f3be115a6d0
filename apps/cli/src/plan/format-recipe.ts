import type { ComparedFigure } from './compare-figures.js';
import type { RecipePlan, RecipePrecisionPlan, StageMemory } from './plan-recipe.js';
import { formatCount, formatFlops, formatGigabytes, formatProducts, textTable } from './text-table.js';

/** The plan of a recipe's variant as text: facts, parameters by part and stage, memory, and the published figures. */
export function formatRecipe(plan: RecipePlan): string {
  const blocks = [facts(plan), parameters(plan), stages(plan), memory(plan), published(plan.published), notes(plan)];
  const head = `${plan.system}:${plan.variant} – ${plan.title} (${plan.paper})`;
  return `${[[head], ...blocks.filter(({ length }) => length > 0)].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function facts({ image, towerInputs, visualTokens, context, batch, flops }: RecipePlan): string[] {
  const { encoders, projection, prefill, perToken } = flops;
  const rows = [
    ['image', `${image.height} × ${image.width}${towerInputs > 1 ? `, seen as ${towerInputs} images` : ''}`],
    ['visual tokens', formatCount(visualTokens)],
    [perToken ? 'prompt' : 'text', `${formatCount(context)} tokens`],
    ['batch', String(batch)],
    ['FLOPs of the encoders', formatFlops(encoders)],
    ['FLOPs of the projection', formatFlops(projection)],
    [perToken ? 'FLOPs of the prefill' : 'FLOPs of text and fusion', formatFlops(prefill)],
    ...(perToken ? [['FLOPs per token', formatFlops(perToken)]] : []),
  ];
  return textTable(rows, { lastIsText: true });
}

/** How many there are, and how many train in each stage. */
function parameters({ parameters: { total, parts }, stages: all }: RecipePlan): string[] {
  const rows = parts.map(({ name, parameters: count }) => [
    name,
    formatCount(count),
    ...all.map(({ trained }) => formatCount(trained.parts.find((part) => part.name === name)?.parameters)),
  ]);
  return textTable([
    ['parameters', 'all', ...all.map(({ name }) => name)],
    ...rows,
    ['total', formatCount(total), ...all.map(({ trained }) => formatCount(trained.total))],
  ]);
}

function stages({ stages: all }: RecipePlan): string[] {
  const row = (name: string, value: (stage: (typeof all)[number]) => string) => [name, ...all.map(value)];
  return textTable([
    row('training', ({ name }) => name),
    row('tokens of a sequence', ({ context }) => formatCount(context)),
    row('visual tokens of it', ({ visualTokens }) => formatCount(visualTokens)),
    row('FLOPs of a sequence', ({ flops }) => formatProducts(flops)),
    row('sequences of a step, as published', ({ publishedBatch }) => formatCount(publishedBatch ?? undefined)),
  ]);
}

function memory({ memory: plans, stages: all }: RecipePlan): string[] {
  const row = (name: string, value: (plan: RecipePrecisionPlan) => number | undefined) => [
    name,
    ...plans.map((plan) => formatGigabytes(value(plan))),
  ];
  const hasCache = plans.some(({ inference }) => inference.cache > 0);
  const inference = [
    row('inference', (plan) => plan.inference.total),
    row('  weights', (plan) => plan.inference.weights),
    ...(hasCache ? [row('  keys and values', (plan) => plan.inference.cache)] : []),
    row('  activations', (plan) => plan.inference.activations),
  ];
  const training = all.flatMap(({ name }) => {
    const of = (plan: RecipePrecisionPlan): StageMemory | undefined =>
      plan.training.find(({ stage }) => stage === name);
    return [
      row(name, (plan) => of(plan)?.total),
      row('  weights', (plan) => of(plan)?.weights),
      row('  gradients', (plan) => of(plan)?.gradients),
      row('  optimizer', (plan) => of(plan)?.optimizer),
      row('  activations', (plan) => of(plan)?.activations),
    ];
  });
  return textTable([['memory', ...plans.map(({ precision }) => precision)], ...inference, ...training]);
}

const quantities = {
  parameters: 'parameters',
  trained: 'trained parameters',
  visualTokens: 'visual tokens',
  visionMacs: 'multiplications of the encoders',
  macs: 'multiplications',
} as const satisfies Record<ComparedFigure['quantity'], string>;

/** Parts by name where they are few. */
function published(figures: readonly ComparedFigure[]): string[] {
  if (figures.length === 0) return [];
  const rows = figures.map((figure) => {
    const { quantity, parts, stage, image, found, published: printed, agrees, source, note } = figure;
    const of = parts && parts.length <= 2 ? ` of ${parts.join(', ')}` : parts ? ` of ${parts.length} parts` : '';
    const where = `${stage ? ` in ${stage}` : ''}${image ? ` at ${image.join(' × ')}` : ''}`;
    const verdict = agrees ? '' : ' – does not agree';
    return [
      `${quantities[quantity]}${of}${where}`,
      formatCount(found),
      formatCount(printed),
      `${source}${verdict}${note ? ` (${note})` : ''}`,
    ];
  });
  return textTable([['published figures', 'found', 'published', 'source'], ...rows], { lastIsText: true });
}

function notes({ note, memory: plans, flops }: RecipePlan): string[] {
  const adapters = plans.flatMap(({ training }) => training).find(({ loraRank }) => loraRank !== null);
  const isQuantized = plans.some(({ precision }) => precision === 'int8' || precision === 'int4');
  return [
    ...(note ? [note] : []),
    'A multiplication and an addition are two FLOPs; those of training are products of forward and backward pass.',
    'Memory is an estimate for one device: AdamW without recomputation of activations.',
    ...(flops.perToken ? ['Prompts and sequences have one image and its visual tokens.'] : []),
    ...(adapters
      ? [`Adapters of rank ${adapters.loraRank} train in place of the language model where they have to.`]
      : []),
    ...(isQuantized ? ['int8, int4: linear layers that do not train in blocks of 32, all else float32.'] : []),
  ];
}
