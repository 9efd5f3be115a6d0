import { readingOpening, sentence } from './clauses.js';
import type { ReadLine } from './findings.js';

/** Options of {@link verbalizeLines}. */
export interface ReadingTextOptions {
  /** Lines of at least this confidence. Default: 0.85. */
  readonly threshold?: number;
}

/** The text of what a reader read, line by line as it stands. Readers that report no line at all read nothing. */
export function verbalizeLines(
  lines: readonly ReadLine[] | null,
  { threshold = 0.85 }: ReadingTextOptions = {},
): string {
  const kept = (lines ?? []).filter(({ confidence }) => confidence >= threshold).map(({ text }) => text);
  return sentence(readingOpening, kept);
}
