import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';
import { runLongCommand } from './long-command.js';

interface TrainOptions {
  readonly out?: string;
  readonly resume?: boolean;
}

/** `ocelli train`: one model, from a configuration file. */
export function addTrainCommand(program: Command, context: CommandContext): void {
  program
    .command('train')
    .description('train one model as a configuration file says')
    .argument('<config>', 'YAML or JSON file with the model, the data and the stages')
    .option('--out <folder>', 'folder of the run (default: runs/<name of the file>)')
    .option('--resume', 'continue an interrupted run')
    .addHelpText('after', '\nExample:\n  $ ocelli train my-model.yaml --out runs/my-model')
    .action(async (configFile: string, options: TrainOptions) => {
      const { trainCommand } = await import('../train/train.js');
      await runLongCommand(context, (environment) =>
        trainCommand(configFile, { ...environment, out: options.out, resume: options.resume ?? false }),
      );
    });
}
