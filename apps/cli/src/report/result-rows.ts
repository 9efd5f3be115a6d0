import { formatCount, formatPercent, formatPublished, formatStepTime } from './format-numbers.js';
import type { RecipeResults } from './results.js';
import { accuracyOf, stageNames, stepTimeOf } from './statistics.js';

/** A line of the table of results: a label, a cell per variant, and a cell for the best constant answer. */
export interface ResultRow {
  readonly label: string;
  readonly cells: readonly string[];
  /** Empty where it means nothing. */
  readonly baseline: string;
}

/** Lines that belong together. */
export interface ResultSection {
  readonly title: string;
  readonly rows: readonly ResultRow[];
}

/** The table of results, variants being columns: accuracy, costs, and the paper's numbers. */
export function resultSections(results: RecipeResults): ResultSection[] {
  const { variants, questionTypes, baseline, published } = results;
  const row = (label: string, cell: (variant: (typeof variants)[number]) => string, constant = ''): ResultRow => ({
    label,
    cells: variants.map(cell),
    baseline: constant,
  });
  const share = (value: number | undefined) =>
    formatPercent(value === undefined ? undefined : { mean: value, deviation: undefined });
  const accuracy = [
    ...questionTypes.map((type) =>
      row(type, (variant) => formatPercent(accuracyOf(variant, type)), share(baseline[type])),
    ),
    row('all questions', (variant) => formatPercent(accuracyOf(variant)), share(results.overallBaseline)),
  ];
  const cost = [
    row('visual tokens', ({ visualTokens }) => String(visualTokens)),
    row('parameters', ({ parameters }) => formatCount(parameters)),
    ...stageNames(variants).map((stage) =>
      row(`step, ${stage}`, (variant) => formatStepTime(stepTimeOf(variant, stage))),
    ),
  ];
  const paper = (published?.measures ?? []).map((measure) => ({
    label: measure,
    cells: formatPublished(variants.map((variant) => variant.published?.[measure])),
    baseline: '',
  }));
  return [
    { title: 'Accuracy, %', rows: accuracy },
    { title: 'Cost', rows: cost },
    ...(paper.length > 0 ? [{ title: `Paper (${published!.source})`, rows: paper }] : []),
  ];
}

/** How many seeds a variant was trained with, in words: `3 seeds`, `2–3 seeds`. */
export function seedsInWords({ variants }: RecipeResults): string {
  const counts = variants.map(({ runs }) => runs.length);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const number = fewest === most ? String(most) : `${fewest}–${most}`;
  return `${number} ${most === 1 ? 'seed' : 'seeds'}`;
}
