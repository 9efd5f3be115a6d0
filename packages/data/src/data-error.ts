import { type ErrorDetails, OcelliError } from '@ocelli/core-tensor';

/** What every error of this package says, and what was at fault. */
export interface DataErrorDetails extends ErrorDetails {
  /** What the reader can do about it; a clause, which the message makes a sentence. */
  readonly remedy: string;
  /** Id of the sample at fault. */
  readonly sampleId?: string | undefined;
  /** Path of the file at fault. */
  readonly file?: string | undefined;
  /** The offending value. */
  readonly value?: unknown;
}

/** Base of this package's errors. */
export class DataError extends OcelliError {
  override readonly name: string = 'DataError';
  /** Id of the sample at fault, where there is one. */
  readonly sampleId: string | undefined;
  /** Path of the file at fault, where there is one. */
  readonly file: string | undefined;
  /** The offending value. */
  readonly value: unknown;

  constructor(details: DataErrorDetails) {
    super({ ...details, remedy: details.remedy.charAt(0).toUpperCase() + details.remedy.slice(1) });
    this.sampleId = details.sampleId;
    this.file = details.file;
    this.value = details.value;
  }
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
