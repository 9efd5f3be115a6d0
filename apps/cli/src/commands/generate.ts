import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-line.js';
import type { GenerateSettings } from '../generate/generate.js';
import { decimal, positiveInteger } from './arguments.js';
import { runLongCommand } from './long-command.js';

interface GenerateOptions extends Omit<GenerateSettings, 'bits'> {
  readonly quantize?: '4' | '8';
}

/** `ocelli generate`: what a language model answers. */
export function addGenerateCommand(program: Command, context: CommandContext): void {
  program
    .command('generate')
    .description('answer a prompt with a language model, word by word')
    .argument('<model>', 'folder of a model, or its id on the Hugging Face hub')
    .requiredOption('-p, --prompt <text>', 'what the model is asked')
    .option('--system <text>', 'the system turn, where the model has a chat template')
    .option('--raw', 'take the prompt as it is, without a chat template')
    .option('--max-new-tokens <count>', 'tokens of the answer at most', positiveInteger, 256)
    .option('--temperature <number>', 'draw tokens at random; above 1 more evenly, below 1 less', decimal)
    .option('--top-k <count>', 'draw from so many of the likeliest tokens', positiveInteger)
    .option('--top-p <share>', 'draw from the likeliest tokens of this probability together', decimal)
    .option('--greedy', "take the likeliest tokens, whatever the model's own settings say")
    .option('--seed <number>', 'of the random numbers', positiveInteger)
    .addOption(new Option('--quantize <bits>', 'hold weights in so many bits').choices(['4', '8']))
    .option('--revision <revision>', 'branch, tag or commit of a model on the hub')
    .addHelpText(
      'after',
      '\nExample:\n  $ ocelli generate models/qwen2-0.5b-instruct --prompt "Name three shapes." --quantize 4',
    )
    .action(async (model: string, { quantize, ...settings }: GenerateOptions) => {
      const { generateCommand } = await import('../generate/generate.js');
      const bits = quantize === undefined ? {} : { bits: Number(quantize) as 4 | 8 };
      await runLongCommand(context, (environment) =>
        generateCommand(context.terminal, model, { ...settings, ...bits }, environment),
      );
    });
}
