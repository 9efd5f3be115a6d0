import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';
import { positiveInteger } from './arguments.js';
import { runLongCommand } from './long-command.js';

interface EvalOptions {
  readonly split: string;
  readonly limit?: number;
  readonly shortestEdge?: number;
}

/** `ocelli eval`: the scores of a trained model. */
export function addEvalCommand(program: Command, context: CommandContext): void {
  program
    .command('eval')
    .description('score a trained model on held-out questions')
    .argument('<run>', 'folder of a run that train or reproduce wrote')
    .option('--split <name>', 'part of the data set', 'test')
    .option('--limit <count>', 'number of questions (default: all)', positiveInteger)
    .option(
      '--shortest-edge <pixels>',
      'keep the aspect ratio of images and give their shortest edge so many pixels, for encoders of any size such as ConvNeXt',
      positiveInteger,
    )
    .addHelpText('after', '\nExample:\n  $ ocelli eval runs/my-model --split test --limit 200')
    .action(async (runFolder: string, options: EvalOptions) => {
      const { evaluateCommand } = await import('../evaluate/evaluate.js');
      await runLongCommand(context, (environment) => evaluateCommand(runFolder, { ...environment, ...options }));
    });
}
