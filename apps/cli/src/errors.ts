import { nearestName } from './nearest-name.js';

/** Exit codes of the command line. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** A command line that cannot be carried out as it is written. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** A name that nothing goes by. The message lists the names there are and the nearest one. */
export class UnknownNameError extends UsageError {
  override readonly name = 'UnknownNameError';

  /**
   * @param what what the name should be of, such as `recipe`
   * @param received the name that was given
   * @param names the valid names
   */
  constructor(
    readonly what: string,
    readonly received: string,
    readonly names: readonly string[],
  ) {
    const nearest = nearestName(received, names);
    const suggestion = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
    super(`${what}: expected one of ${names.join(', ')}, received ${JSON.stringify(received)}.${suggestion}`);
  }
}

/** What the command line says about an error, and the code it exits with. */
export interface Failure {
  readonly message: string;
  readonly exitCode: number;
}

/** Describes anything that was thrown. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof UsageError) return { message: error.message, exitCode: exitCodes.usage };
  if (!(error instanceof Error)) return { message: `Unexpected error: ${String(error)}`, exitCode: exitCodes.failure };
  const issues = issuesOf(error);
  if (issues) return { message: `configuration: ${issues}`, exitCode: exitCodes.failure };
  const message = isPurposeful(error)
    ? error.message
    : `Unexpected error: ${error.message}\nRun the command again with --debug to see where it happened.`;
  return { message, exitCode: exitCodes.failure };
}

/**
 * Errors that the project or the operating system raises on purpose. The project's are known by the form of their
 * messages, `operation: expected …, received …`, so that no package has to be loaded to tell.
 */
function isPurposeful(error: Error): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  const isOurs = /: expected .*, received /s.test(error.message);
  return isOurs || (typeof code === 'string' && typeof syscall === 'string');
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A failed validation of zod, in words. */
function issuesOf(error: Error): string | undefined {
  const { issues } = error as { issues?: readonly Issue[] };
  if (!Array.isArray(issues)) return undefined;
  return issues
    .map(({ path, message }: Issue) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ');
}
