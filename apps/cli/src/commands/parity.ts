import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';

interface ParityOptions {
  readonly fixtures?: string;
  readonly kind?: string;
  readonly strict?: boolean;
}

/** `ocelli parity`: our numbers against those of the published implementations. */
export function addParityCommand(program: Command, context: CommandContext): void {
  program
    .command('parity')
    .description("compare outputs and gradients with the published implementations' (fixture files)")
    .option('--fixtures <folder>', "where the fixtures are (default: the packages' own, in a checkout)")
    .option('--kind <kind>', 'only fixtures of this kind, or of kinds that begin so')
    .option('--strict', 'fail where no package answers for a kind')
    .addHelpText('after', '\nExample:\n  $ ocelli parity --fixtures fixtures --kind honeybee/')
    .action(async (options: ParityOptions) => {
      const { parityCommand } = await import('../parity/parity.js');
      context.exitCode = await parityCommand(context.terminal, options);
    });
}
