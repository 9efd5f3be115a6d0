/** The benchmarks of {@link eagleAverage}. */
export const eagleBenchmarks = [
  'GQA',
  'VizWiz',
  'MME',
  'SEED-I',
  'OCRBench',
  'DocVQA',
  'ChartQA',
  'AI2D',
  'POPE',
  'RealWorldQA',
  'ScienceQA-I',
] as const;

/** What a unit of a benchmark's score is worth in thousandths; percentages are worth ten. */
const worth: Readonly<Record<string, number>> = { MME: 1 / 2, OCRBench: 1 };

/**
 * The average by which Eagle compares encoders, fusions and trainings, 0 … 1000 (Shi et al. 2024, tables 3, 4, 7, 11 to 13
 * and figure 4): percentages times ten, OCRBench as it is, the perception sum of MME, 2000 at most, halved. (Without
 * cognition: the 2800 of both parts are not what it is divided by.) The averages that tables 2, 9 and 10 print are others
 * than those of their columns.
 *
 * @param scores as they are printed: percentages, MME's perception sum, right answers of OCRBench's thousand
 */
export function eagleAverage(scores: Readonly<Record<(typeof eagleBenchmarks)[number], number>>): number {
  const sum = eagleBenchmarks.reduce((total, name) => total + scores[name] * (worth[name] ?? 10), 0);
  return sum / eagleBenchmarks.length;
}
