import { exitCodes } from './errors.js';
import type { Terminal } from './terminal.js';

const signals = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/**
 * Runs a command that can be interrupted: the first Ctrl-C asks it to stop after the current step, the second one ends
 * the process.
 *
 * @param command heeds the signal: it finishes what it is at, and returns or throws the signal's reason
 * @returns the exit code: 0, or that of the interruption
 */
export async function interruptible(
  terminal: Terminal,
  command: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
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
    await command(controller.signal);
    return exitCode ?? exitCodes.success;
  } catch (error) {
    if (exitCode !== undefined && error === controller.signal.reason) return exitCode;
    throw error;
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}
