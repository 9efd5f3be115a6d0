import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work after which the event loop gets its turn. */
const SLICE = 3;

/**
 * A function to call between pieces of work on the main thread: it lets others run whenever a slice of time is used up.
 * All who share it take turns, one slice per turn of the event loop, however many they are.
 */
export function createBreather(): () => Promise<void> {
  let start = performance.now();
  let tail = Promise.resolve();
  return async () => {
    if (performance.now() - start < SLICE) return;
    tail = tail.then(() => setImmediate());
    await tail;
    start = performance.now();
  };
}
