import { ConfigError, type ErrorDetails, OcelliError } from '@ocelli/core-tensor';
import { DataError } from '@ocelli/data';

/**
 * Makes errors about a configuration file: they name the file and the key.
 *
 * @param key path of the key, such as `stages.0.data`; undefined where several do not fit together.
 */
export type Refuse = (key: string | undefined, problem: Omit<ErrorDetails, 'operation'>) => ConfigError;

export function refuseIn(file: string): Refuse {
  return (key, problem) =>
    new ConfigError({ ...problem, operation: key === undefined ? `read ${file}` : `read ${file} (${key})` });
}

/** Does what a key asks for; what cannot be done becomes an error that names the key. */
export function heed<Result>(refuse: Refuse, key: string | undefined, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    throw explain(refuse, key, cause);
  }
}

/** {@link heed} of what takes time. */
export function heedLater<Result>(refuse: Refuse, key: string, act: () => Promise<Result>): Promise<Result> {
  return act().catch((cause) => {
    throw explain(refuse, key, cause);
  });
}

function explain(refuse: Refuse, key: string | undefined, cause: unknown): ConfigError {
  // What was being done with data names the file and the sample.
  if (cause instanceof OcelliError && !(cause instanceof DataError)) {
    const { expected, received, remedy } = cause;
    return refuse(key, { expected, received, remedy, cause });
  }
  const received = cause instanceof Error ? cause.message : String(cause);
  return refuse(key, { expected: 'a value that can be used', received, cause });
}
