import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-line.js';
import { positiveInteger } from './arguments.js';
import { runLongCommand } from './long-command.js';

interface ReproduceOptions {
  readonly scale: 'mini';
  readonly seeds?: number;
  readonly out?: string;
  readonly resume?: boolean;
}

/** `ocelli reproduce`: a published system, from its recipe. */
export function addReproduceCommand(program: Command, context: CommandContext): void {
  program
    .command('reproduce')
    .description("train and evaluate a published system's variants, and check the paper's claims")
    .argument('<recipe>', 'name of the recipe, such as honeybee')
    .addOption(new Option('--scale <scale>', 'size of the reproduction').choices(['mini']).default('mini'))
    .option('--seeds <count>', "number of seeds per variant (default: the recipe's)", positiveInteger)
    .option('--out <folder>', 'folder of the run (default: runs/<recipe>)')
    .option('--resume', 'continue an interrupted run')
    .addHelpText('after', '\nExample:\n  $ ocelli reproduce honeybee --scale mini --seeds 3 --out runs/honeybee')
    .action(async (recipe: string, options: ReproduceOptions) => {
      const { reproduce } = await import('../reproduce/reproduce.js');
      await runLongCommand(context, (environment) =>
        reproduce(recipe, {
          ...environment,
          scale: options.scale,
          seeds: options.seeds,
          out: options.out ?? `runs/${recipe}`,
          resume: options.resume ?? false,
        }),
      );
    });
}
