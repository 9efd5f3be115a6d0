import { CheckpointError } from '../errors.js';

const remedies: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path.',
  ENOTDIR: 'Check the path: one of its folders is a file.',
  EISDIR: 'Name a file, not a folder.',
  EACCES: 'Give this user the permission, or choose another path.',
  EPERM: 'Give this user the permission, or choose another path.',
  EROFS: 'Choose a path on a volume that can be written.',
  ENOSPC: 'Free space on the volume, or choose another one; nothing was left behind.',
  EDQUOT: 'Free space within your quota, or choose another volume; nothing was left behind.',
  EFBIG: 'Write smaller shards, or choose a volume without this limit.',
  EMFILE: 'Close some readers, or raise the limit of open files.',
};

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Whether the operating system refused something about a file. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && /^E[A-Z0-9]+$/.test(codeOf(error) ?? '');
}

/** What the operating system said about a file, as an error that names it. Errors of the project pass through. */
export function fileError(operation: string, file: string, expected: string, cause: unknown): Error {
  const code = codeOf(cause);
  if (!(cause instanceof Error) || code === undefined || !/^E[A-Z0-9]+$/.test(code)) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
  return new CheckpointError({
    operation,
    file,
    expected,
    received: cause.message,
    remedy: remedies[code] ?? 'Check the volume.',
    cause,
  });
}
