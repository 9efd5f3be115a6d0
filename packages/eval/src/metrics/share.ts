/** Right answers among all. */
export interface Share {
  readonly total: number;
  readonly correct: number;
  /** correct / total, 0 … 1; 0 of nothing. */
  readonly accuracy: number;
}

/** Counts right answers. */
export function shareOf(correct: readonly boolean[]): Share {
  const right = correct.filter(Boolean).length;
  return { total: correct.length, correct: right, accuracy: correct.length === 0 ? 0 : right / correct.length };
}

/** Rows by a key, in the order in which the keys first appear. */
export function groupBy<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

/** The mean of some numbers; NaN of none. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
