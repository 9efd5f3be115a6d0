import { requireRows } from '../benchmark-error.js';
import { groupBy, type Share, shareOf } from '../metrics/share.js';

/** A question of MathVista, what it is about, and whether the answer is right. */
export interface MathVistaRow {
  /** Values by which accuracies are broken down: `question_type`, `source`, … A list counts for each of its values. */
  readonly groups: Readonly<Record<string, string | readonly string[]>>;
  readonly correct: boolean;
}

/** Share of right answers, in all and by `name=value` of each group. */
export interface MathVistaScore extends Share {
  readonly groups: ReadonlyMap<string, Share>;
}

/**
 * Scores answers to MathVista (Lu et al. 2023).
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreMathVista(rows: readonly MathVistaRow[]): MathVistaScore {
  requireRows('MathVista', rows);
  const entries = rows.flatMap(({ groups, correct }) =>
    Object.entries(groups).flatMap(([name, values]) =>
      [values].flat().map((value) => ({ key: `${name}=${value}`, correct })),
    ),
  );
  const shares = [...groupBy(entries, ({ key }) => key)].map(
    ([key, group]) => [key, shareOf(group.map(({ correct }) => correct))] as const,
  );
  return { ...shareOf(rows.map(({ correct }) => correct)), groups: new Map(shares) };
}
