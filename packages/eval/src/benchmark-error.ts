import { type ErrorDetails, OcelliError } from '@ocelli/core-tensor';

/** {@link ErrorDetails} of a benchmark's data, with the value at fault. */
export interface BenchmarkErrorDetails extends ErrorDetails {
  readonly value?: unknown;
}

/** Rows of a benchmark that are malformed, incomplete or do not fit each other. Answers are never at fault. */
export class BenchmarkError extends OcelliError {
  override readonly name: string = 'BenchmarkError';
  readonly value: unknown;

  constructor(details: BenchmarkErrorDetails) {
    super(details);
    this.value = details.value;
  }
}

/** Several rows, or an error that names the benchmark. */
export function requireRows(benchmark: string, rows: readonly unknown[]): void {
  if (rows.length > 0) return;
  throw new BenchmarkError({
    operation: `score ${benchmark}`,
    expected: 'at least one row',
    received: 'none',
    remedy: 'Check the split and the path of the answers.',
    value: rows,
  });
}
