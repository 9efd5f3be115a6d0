import type { CommandContext } from '../command-line.js';
import { interruptible } from '../interruption.js';
import { type Reporter, terminalReporter } from '../terminal.js';

/** What a command that takes minutes is given. */
export interface LongCommandEnvironment {
  /** For lines of output and for progress. */
  readonly reporter: Reporter;
  /** Aborted when the command should stop after the current step. */
  readonly signal: AbortSignal;
}

/** Runs a command that reports progress and can be interrupted. */
export async function runLongCommand(
  context: CommandContext,
  command: (environment: LongCommandEnvironment) => Promise<unknown>,
): Promise<void> {
  const reporter = terminalReporter(context.terminal);
  context.exitCode = await interruptible(context.terminal, async (signal) => {
    try {
      await command({ reporter, signal });
    } finally {
      reporter.close();
    }
  });
}
