import type { Accuracy, ConstantBaseline } from '@ocelli/eval';

/** Accuracy by type of question beside what the best constant answer scores, in percent, as text for a terminal. */
export function renderScoreTable(accuracy: Accuracy, baseline: ConstantBaseline): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  const total = Object.values(accuracy.counts).reduce((sum, count) => sum + count, 0);
  const rows = [
    ['', 'questions', 'accuracy', 'best constant'],
    ...Object.entries(accuracy.byType).map(([type, share]) => [
      type,
      String(accuracy.counts[type]),
      percent(share),
      percent(baseline.byType[type]!),
    ]),
    ['overall', String(total), percent(accuracy.overall), percent(baseline.overall)],
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .join('\n');
}
