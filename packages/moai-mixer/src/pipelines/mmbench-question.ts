/** A row of MMBench's table; cells may be missing, or hold what pandas and its users write for that. */
export type MmbenchRow = Readonly<Record<string, string | number | null | undefined>>;

/** Whether a cell says nothing. */
function isMissing(cell: string | number | null | undefined): boolean {
  return (
    cell === null || cell === undefined || Number.isNaN(cell) || ['nan', 'none'].includes(String(cell).toLowerCase())
  );
}

/** Hint, question and options of a row of MMBench, one below the other. Options end in front of the first missing one. */
export function mmbenchQuestion(row: MmbenchRow): string {
  const letters = ['A', 'B', 'C', 'D'];
  const end = letters.findIndex((letter) => isMissing(row[letter]));
  const options = (end < 0 ? letters : letters.slice(0, end)).map((letter) => `${letter}. ${row[letter]}`);
  const hint = isMissing(row.hint) ? [] : [String(row.hint)];
  return [...hint, String(row.question), ...options].join('\n');
}
