import { closeEngine } from '@ocelli/core-tensor';
import { exitCodes } from '../errors.js';
import type { Terminal } from '../terminal.js';
import { fixtureFolders } from './fixture-folders.js';
import { formatUnregistered, outcomeFormatter } from './format.js';
import { registeredChecks } from './registered-checks.js';
import { planParity, runParity } from './run-parity.js';

/** Options of `ocelli parity`. */
export interface ParityCommandOptions {
  /** Folders of the fixtures; by default those of the checkout's packages. */
  readonly fixtures?: readonly string[] | undefined;
  /** Kind, or beginning of kinds. */
  readonly kind?: string | undefined;
  /** Whether kinds that nobody compares, and given folders without a fixture, are a failure. */
  readonly strict?: boolean | undefined;
}

/**
 * `ocelli parity`: one line per fixture and a count. Fails if one does not pass, or if there is nothing to compare; and
 * if it is strict, where something was not compared.
 */
export async function parityCommand(terminal: Terminal, options: ParityCommandOptions): Promise<number> {
  const { root, folders } = await fixtureFolders(options.fixtures, process.cwd());
  const checks = await registeredChecks();
  const { fixtures, unregistered, empty } = await planParity(folders, checks, options.kind);
  const format = outcomeFormatter(fixtures, root);
  let failed = 0;
  try {
    for await (const outcome of runParity(fixtures, checks)) {
      if (!outcome.passed) failed++;
      terminal.write(`${format(outcome)}\n`);
    }
  } finally {
    await closeEngine();
  }
  if (unregistered.size > 0) terminal.write(`\n${formatUnregistered(unregistered)}\n`);
  terminal.write(`\n${fixtures.length - failed} passed, ${failed} failed\n`);
  if (fixtures.length === 0 && unregistered.size === 0) {
    terminal.writeError(
      `parity: expected fixtures${options.kind ? ` of kind ${options.kind}` : ''} in ${folders.join(', ')}, found none.\n`,
    );
    return exitCodes.failure;
  }
  if (!options.strict) return failed === 0 ? exitCodes.success : exitCodes.failure;
  const missing = options.fixtures === undefined ? [] : empty;
  for (const folder of missing) terminal.writeError(`parity: expected fixtures in ${folder}, found none.\n`);
  if (unregistered.size > 0) {
    terminal.writeError(`parity: expected a package for every kind (--strict), found ${unregistered.size} without.\n`);
  }
  return failed + missing.length + unregistered.size === 0 ? exitCodes.success : exitCodes.failure;
}
