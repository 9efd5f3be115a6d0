import { DataError, type DataErrorDetails } from '../data-error.js';

/** Thrown when the microworld is given options it cannot satisfy, or a directory it must not write to. */
export class MicroworldError extends DataError {
  override readonly name = 'MicroworldError';
  /** The option concerned, or `directory`. */
  readonly option: string;

  constructor(details: DataErrorDetails & { readonly option: string }) {
    super(details);
    this.option = details.option;
  }

  /** The error of a failed validation. */
  static fromIssue(
    operation: string,
    issue: { readonly path: readonly PropertyKey[]; readonly message: string; readonly input?: unknown },
  ): MicroworldError {
    const option = issue.path.map(String).join('.') || 'options';
    return new MicroworldError({
      operation,
      expected: 'valid options',
      received: `a bad "${option}" (${issue.message})`,
      remedy: 'correct this option',
      option,
      value: issue.input,
    });
  }
}
