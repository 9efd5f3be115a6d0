import { GraphError } from '../errors.js';

/** A value that is in force while a function records its operations, for layers far below that are not passed it. */
export interface RecordingContext<Value> {
  /** @throws GraphError if the function is async: what it records later would not see the value */
  run<Result>(value: Value | undefined, fn: () => Result): Result;
  current(): Value | undefined;
}

const restorers: (() => <Result>(fn: () => Result) => Result)[] = [];

/** @param operation that users call to set it, for messages */
export function recordingContext<Value>(operation: string): RecordingContext<Value> {
  let current: Value | undefined;
  const context: RecordingContext<Value> = {
    current: () => current,
    run(value, fn) {
      const outer = current;
      current = value;
      try {
        const result = fn();
        if (!(result instanceof Promise)) return result;
      } finally {
        current = outer;
      }
      throw new GraphError({
        operation,
        expected: 'a function that records its operations at once',
        received: 'an async function',
        remedy: 'Leave out async and await, and read data from what it returns.',
      });
    },
  };
  restorers.push(() => {
    const value = current;
    return (fn) => context.run(value, fn);
  });
  return context;
}

/** What is in force now, to be put in force again around what is recorded later. */
export function rememberContexts(): <Result>(fn: () => Result) => Result {
  const remembered = restorers.map((remember) => remember());
  return (fn) => remembered.reduce<typeof fn>((inner, restore) => () => restore(inner), fn)();
}
