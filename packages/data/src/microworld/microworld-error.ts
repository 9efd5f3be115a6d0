/** Thrown when the microworld is given options it cannot satisfy, or a directory it must not write to. */
export class MicroworldError extends Error {
  override readonly name = 'MicroworldError';
  /** The option concerned, or `directory`. */
  readonly option: string;
  readonly value: unknown;

  constructor(
    message: string,
    details: { readonly option: string; readonly value: unknown; readonly cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.option = details.option;
    this.value = details.value;
  }

  /** The error of a failed validation. */
  static fromIssue(
    operation: string,
    issue: { readonly path: readonly PropertyKey[]; readonly message: string; readonly input?: unknown },
  ): MicroworldError {
    const option = issue.path.map(String).join('.') || 'options';
    return new MicroworldError(
      `${operation}: expected valid options, received a bad "${option}" (${issue.message}); correct this option`,
      { option, value: issue.input },
    );
  }
}
