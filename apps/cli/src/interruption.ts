import { exitCodes } from './errors.js';
import type { Terminal } from './terminal.js';

const signals = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/** How a command reacts to Ctrl-C. */
export interface Interruption {
  /** Aborted by the first interruption; a command that heeds it finishes what it is at and returns. */
  readonly signal: AbortSignal;
  /** The code to exit with, if there was an interruption. */
  readonly exitCode: number | undefined;
}

/**
 * Runs a command that can be interrupted: the first Ctrl-C asks it to stop after the current step, the second one ends
 * the process.
 *
 * @returns the exit code: the command's own, or that of the interruption
 */
export async function interruptible(terminal: Terminal, command: (interruption: Interruption) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const onSignal = (name: keyof typeof signals) => {
    if (exitCode !== undefined) process.exit(signals[name]);
    exitCode = signals[name];
    terminal.writeError('\nStopping after this step; press Ctrl-C again to stop at once.\n');
    controller.abort();
  };
  const names = Object.keys(signals) as (keyof typeof signals)[];
  for (const name of names) process.on(name, onSignal);
  try {
    const code = await command({
      signal: controller.signal,
      get exitCode() {
        return exitCode;
      },
    });
    return exitCode ?? code;
  } catch (error) {
    // What a command throws because it was asked to stop is no failure.
    if (exitCode !== undefined) return exitCode;
    throw error;
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}
