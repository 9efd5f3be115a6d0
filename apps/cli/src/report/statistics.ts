import type { LossPoint, StageRun, VariantResults } from './results.js';

/** Mean and spread of a number over seeds. */
export interface Summary {
  readonly mean: number;
  /** Standard deviation of the sample (n − 1); undefined for a single value. */
  readonly deviation: number | undefined;
}

/** Summarises one number per seed; undefined if there is none. */
export function summarise(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, deviation: undefined };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** A variant's accuracy on one type of questions, or (without a type) on all. */
export function accuracyOf({ runs }: VariantResults, questionType?: string): Summary | undefined {
  const values = runs.map(({ accuracy, overall }) => (questionType === undefined ? overall : accuracy[questionType]));
  return summarise(values.filter((value) => value !== undefined));
}

/** Names of all stages, in the order in which they first occur. */
export function stageNames(variants: readonly VariantResults[]): string[] {
  return [...new Set(variants.flatMap(({ runs }) => runs.flatMap(({ stages }) => stages.map(({ name }) => name))))];
}

/** A stage of each of a variant's runs. */
export function stageRuns({ runs }: VariantResults, stage: string): StageRun[] {
  return runs.flatMap(({ stages }) => stages.filter(({ name }) => name === stage));
}

/** A variant's seconds per step in one stage. */
export function stepTimeOf(variant: VariantResults, stage: string): Summary | undefined {
  return summarise(stageRuns(variant, stage).map(({ secondsPerStep }) => secondsPerStep));
}

/** The loss of a stage at each step, averaged over seeds, and over neighbouring steps where there are too many points. */
export function lossCurve(variant: VariantResults, stage: string, maximumPoints = 200): LossPoint[] {
  const bySteps = new Map<number, number[]>();
  for (const { loss } of stageRuns(variant, stage)) {
    for (const point of loss) bySteps.set(point.step, [...(bySteps.get(point.step) ?? []), point.loss]);
  }
  const averaged = [...bySteps]
    .sort(([a], [b]) => a - b)
    .map(([step, losses]) => ({ step, loss: summarise(losses)!.mean }));
  const size = Math.ceil(averaged.length / maximumPoints);
  return Array.from({ length: size === 0 ? 0 : Math.ceil(averaged.length / size) }, (_, group) => {
    const points = averaged.slice(group * size, (group + 1) * size);
    return { step: points.at(-1)!.step, loss: summarise(points.map(({ loss }) => loss))!.mean };
  });
}
