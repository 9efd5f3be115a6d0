import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addDoctorCommand } from './commands/doctor.js';
import { addEngineOptions } from './commands/engine-options.js';
import { addEvalCommand } from './commands/eval.js';
import { addGenerateCommand } from './commands/generate.js';
import { addInspectCommand } from './commands/inspect.js';
import { addParityCommand } from './commands/parity.js';
import { addPlanCommand } from './commands/plan.js';
import { addReproduceCommand } from './commands/reproduce.js';
import { addTrainCommand } from './commands/train.js';
import { addVisualizeCommand } from './commands/visualize.js';
import { describeFailure, exitCodes, UnknownNameError } from './errors.js';
import { processTerminal, type Terminal } from './terminal.js';

/** What every command is given. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Set by the command that ran. */
  exitCode: number;
}

/** Each adds one command. What a command does is loaded when it runs. */
const commands = [
  addReproduceCommand,
  addTrainCommand,
  addEvalCommand,
  addGenerateCommand,
  addPlanCommand,
  addInspectCommand,
  addVisualizeCommand,
  addDoctorCommand,
  addParityCommand,
];

/**
 * Runs the command line.
 *
 * @param args the words after `ocelli`
 * @returns the exit code: 0, 1 after a failure, 2 after a command line that makes no sense, 130 after an interruption
 */
export async function runCommandLine(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const context: CommandContext = { terminal, exitCode: exitCodes.success };
  const program = createProgram(context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return endParsing(error, program, terminal);
    const { message, exitCode } = describeFailure(error);
    terminal.writeError(`${message}\n`);
    if (args.includes('--debug') && error instanceof Error) terminal.writeError(`${stackOf(error)}\n`);
    return exitCode;
  }
}

function createProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('ocelli')
    .description('Reproduce, train and evaluate multimodal language models.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'print the stack of an error')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      // Errors are written by the caller, help for want of a command too.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(terminal.columns, 120),
    })
    .addHelpText('after', '\nExample:\n  $ ocelli reproduce honeybee --scale mini --out runs/honeybee');
  for (const add of commands) add(program, context);
  addEngineOptions(program);
  return program;
}

/** Commander ends with an error after help and version, too. */
function endParsing(error: CommanderError, program: Command, terminal: Terminal): number {
  if (error.exitCode === 0) return exitCodes.success;
  if (error.code === 'commander.help') {
    terminal.writeError(program.helpInformation());
  } else if (error.code === 'commander.unknownCommand') {
    const names = program.commands.map((command) => command.name());
    terminal.writeError(`${new UnknownNameError('command', program.args[0] ?? '', names).message}\n`);
  } else {
    terminal.writeError(`${error.message.replace(/^error: /, '')}\n`);
  }
  return exitCodes.usage;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

/** The same relative path leads from the sources and from the build to the package. */
function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
