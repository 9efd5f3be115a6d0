import { CheckpointError, OcelliError } from '../../errors.js';
import { fileError, isSystemError } from '../../safetensors/file-error.js';

/** What to do about an answer of the hub, by its status. */
const remedies: Readonly<Record<number, string>> = {
  401: 'Check the id; for a private or gated model give a token (option token, or HF_TOKEN).',
  403: "Ask for access on the model's page, and give the token of that account (option token, or HF_TOKEN).",
  404: 'Check the id and the revision.',
  429: 'The hub limits requests: wait, or give a token (option token, or HF_TOKEN).',
};

/** The status of an answer that the hub's library threw. */
function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** Whether a request got no answer at all: `fetch` then throws a TypeError with the system's error as its cause. */
export function isOffline(error: unknown): boolean {
  return statusOf(error) === undefined && error instanceof TypeError && codeOf(error.cause) !== undefined;
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function pathOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).path ?? '');
}

/** What went wrong between here and the hub, as an error that says what to do. Errors of the project pass through. */
export function hubError(operation: string, hubUrl: string, cause: unknown): Error {
  if (cause instanceof OcelliError) return cause;
  if (isSystemError(cause)) return fileError(operation, pathOf(cause), 'to keep the files in the cache', cause);
  const status = statusOf(cause);
  if (status !== undefined) {
    return new CheckpointError({
      operation,
      expected: `the files of the model from ${hubUrl}`,
      received: `status ${status}: ${(cause as Error).message}`,
      remedy: remedies[status] ?? 'Try again later: what was downloaded is kept.',
      cause,
    });
  }
  if (isOffline(cause)) {
    return new CheckpointError({
      operation,
      expected: `an answer from ${hubUrl}`,
      received: `none (${codeOf((cause as Error).cause)})`,
      remedy: 'Check the connection, or name a folder that holds the model. What was downloaded is kept.',
      cause,
    });
  }
  return new CheckpointError({
    operation,
    expected: `the files of the model from ${hubUrl}`,
    received: cause instanceof Error ? cause.message : String(cause),
    remedy: 'Try again: what was downloaded is kept.',
    cause,
  });
}
