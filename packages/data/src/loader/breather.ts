import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work after which the event loop gets its turn. */
const SLICE = 4;

/** A function to call between pieces of work on the main thread: it lets others run whenever a slice is used up. */
export function breather(): () => Promise<void> {
  let start = performance.now();
  return async () => {
    if (performance.now() - start < SLICE) return;
    await setImmediate();
    start = performance.now();
  };
}
