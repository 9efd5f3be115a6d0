import { ConfigError } from '@ocelli/core-tensor';

/** What is wrong with the value of a key. */
export interface Refusal {
  /** What the value should be, as the object of "expected KEY to be". */
  readonly expected: string;
  readonly received: string;
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** Makes errors about values of a configuration file: they name the file and the key. */
export type Refuse = (key: string, refusal: Refusal) => ConfigError;

export function refuseIn(file: string): Refuse {
  return (key, { expected, ...rest }) =>
    new ConfigError({ operation: `read ${file}`, expected: `${key} to be ${expected}`, ...rest });
}

/** Does what a key asks for; what cannot be done becomes an error that names the key. */
export function heeding<Result>(refuse: Refuse, key: string, expected: string, act: () => Result): Result {
  const explain = (cause: unknown): never => {
    throw refuse(key, { expected, received: cause instanceof Error ? cause.message : String(cause), cause });
  };
  try {
    const result = act();
    return result instanceof Promise ? (result.catch(explain) as Result) : result;
  } catch (cause) {
    return explain(cause);
  }
}
