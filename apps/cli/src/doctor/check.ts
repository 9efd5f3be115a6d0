/** What a check found. */
export interface CheckResult {
  readonly name: string;
  /** A problem keeps the project from working; a warning makes it slower or less capable. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly detail: string;
  /** A command that helps. */
  readonly remedy?: string;
}

/** One thing that is checked, of one or more parts. */
export type Check = () => CheckResult | Promise<CheckResult | readonly CheckResult[]>;

/** Bytes as GiB with one decimal. */
export function inGibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
