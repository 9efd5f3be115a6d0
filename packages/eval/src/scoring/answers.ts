/** A question of a held-out split with what a model said. */
export interface ScoredQuestion {
  readonly id: string;
  /** Kind of question: `existence`, `count`, … */
  readonly type: string;
  readonly question: string;
  readonly expected: string;
  readonly answer: string;
  readonly correct: boolean;
}

/** An answer as it is compared: lower case, single spaces, no full stop at the end. */
export function normalizeAnswer(text: string): string {
  return text.trim().toLowerCase().replace(/\s+/g, ' ').replace(/\.$/, '').trim();
}

/** Whether an answer is the expected one, after {@link normalizeAnswer}. */
export function isExactMatch(answer: string, expected: string): boolean {
  return normalizeAnswer(answer) === normalizeAnswer(expected);
}
