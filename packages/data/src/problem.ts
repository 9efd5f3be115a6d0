/** The parts of an error message, in the order in which the message says them. */
export interface Problem {
  /** What was being done, for example `loadTokenizer`. */
  readonly operation: string;
  /** What the operation needs, as the object of "expected". */
  readonly expected: string;
  /** What it got instead, as the object of "received". */
  readonly received: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

export function problemMessage({ operation, expected, received, remedy }: Problem): string {
  return `${operation}: expected ${expected}, received ${received}; ${remedy}`;
}

export function problemOptions({ cause }: Problem): ErrorOptions | undefined {
  return cause === undefined ? undefined : { cause };
}

/** The first issue of a failed validation as `path: message`, for the "received" part of a message. */
export function firstIssue(error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'an invalid value';
  const path = issue.path.map(String).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
