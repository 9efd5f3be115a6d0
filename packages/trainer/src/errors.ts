import { type ErrorDetails, OcelliError } from '@ocelli/core-tensor';

/** A loss or gradient norm that is infinite or not a number. Checkpoints from before are kept. */
export class NonFiniteError extends OcelliError {
  override readonly name = 'NonFiniteError';
  /** Step, counted from 1. */
  readonly step: number;
  readonly value: number;
  /** Samples of the step, if the batches name them. */
  readonly sampleIds: readonly string[];

  constructor(
    details: ErrorDetails & { readonly step: number; readonly value: number; readonly sampleIds: readonly string[] },
  ) {
    super(details);
    this.step = details.step;
    this.value = details.value;
    this.sampleIds = details.sampleIds;
  }
}

/** A run that cannot be resumed as asked. */
export class ResumeError extends OcelliError {
  override readonly name = 'ResumeError';
  /** Folder or file it is about. */
  readonly file: string;
  /** Path of the setting that differs, such as `stages.0.learningRate`; absent where that is not the reason. */
  readonly key: string | undefined;

  constructor(details: ErrorDetails & { readonly file: string; readonly key?: string }) {
    super(details);
    this.file = details.file;
    this.key = details.key;
  }
}

/** An engine that failed during a run. */
export class TrainingEngineError extends OcelliError {
  override readonly name = 'TrainingEngineError';
  /** Step that was being computed, counted from 1. */
  readonly step: number;

  constructor(details: ErrorDetails & { readonly step: number }) {
    super(details);
    this.step = details.step;
  }
}

/** Batches that do not fit the run: too few, or without tensors. */
export class BatchError extends OcelliError {
  override readonly name = 'BatchError';
}

/** A file of the run that could not be read or written. */
export class RunFileError extends OcelliError {
  override readonly name = 'RunFileError';
  readonly file: string;

  constructor(details: ErrorDetails & { readonly file: string }) {
    super({ ...details, operation: `${details.operation} ${details.file}` });
    this.file = details.file;
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on the volume, then resume from the last checkpoint.',
  EDQUOT: 'Free space within your quota, then resume from the last checkpoint.',
  EACCES: 'Give this user the permission, or choose another folder.',
  EPERM: 'Give this user the permission, or choose another folder.',
  EROFS: 'Choose a folder on a volume that can be written.',
  ENOENT: 'Check the path.',
};

/** Does something with a file; failures of the operating system become errors that name it. */
export async function withFile<T>(operation: string, file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!/^E[A-Z0-9]+$/.test(code)) throw cause;
    throw new RunFileError({
      operation,
      file,
      expected: 'the operating system to allow it',
      received: (cause as Error).message,
      remedy: remedies[code] ?? 'Check the volume, then resume from the last checkpoint.',
      cause,
    });
  }
}
