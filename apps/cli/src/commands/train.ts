import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';
import { runLongCommand } from './long-command.js';

interface TrainOptions {
  readonly out?: string;
  readonly resume?: boolean;
}

const help = `
The file names:
  data        conversations by name; stages choose from it (sampling: first:30%, end:1000, random:5%), mix it by
              weight or join it (mixing: joined), and group it (groupByLength: true)
  vision, language, projector, tokenizer, template
  grid        cuts images of any resolution into tiles: anyres, anyres_max_9, or { candidates: "(1x1),...,(3x3)" };
              imageNewline is the learnt row that ends its rows
  stages      what trains (trainable, frozen), how long and how fast (steps, batchSize, learningRate, groups, schedule);
              grid, template, maximumLength and imageProcessor (pad, crop, squash) where a stage has its own

Example:
  $ ocelli train my-model.yaml --out runs/my-model`;

/** `ocelli train`: one model, from a configuration file. */
export function addTrainCommand(program: Command, context: CommandContext): void {
  program
    .command('train')
    .description('train one model as a configuration file says')
    .argument('<config>', 'YAML or JSON file with the model, the data and the stages')
    .option('--out <folder>', 'folder of the run (default: runs/<name of the file>)')
    .option('--resume', 'continue an interrupted run')
    .addHelpText('after', help)
    .action(async (configFile: string, options: TrainOptions) => {
      const { trainCommand } = await import('../train/train.js');
      await runLongCommand(context, (environment) =>
        trainCommand(configFile, { ...environment, out: options.out, resume: options.resume ?? false }),
      );
    });
}
