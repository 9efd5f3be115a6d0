import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';

interface ParityOptions {
  readonly fixtures?: readonly string[];
  readonly kind?: string;
  readonly strict?: boolean;
}

/** `ocelli parity`: our numbers against those of the published implementations. */
export function addParityCommand(program: Command, context: CommandContext): void {
  program
    .command('parity')
    .description("compare outputs and gradients with the published implementations' (fixture files)")
    .option('--fixtures <folders...>', "where the fixtures are (default: the packages' own, in a checkout)")
    .option('--kind <kind>', 'only fixtures of this kind, or of kinds that begin so')
    .option('--strict', 'fail also where no package answers for a kind, or a folder has no fixture')
    .addHelpText(
      'after',
      '\nExamples:\n  $ ocelli parity --fixtures fixtures --kind honeybee/\n  $ ocelli parity --strict --fixtures fixtures/honeybee fixtures/moai',
    )
    .action(async (options: ParityOptions) => {
      const { parityCommand } = await import('../parity/parity.js');
      context.exitCode = await parityCommand(context.terminal, options);
    });
}
