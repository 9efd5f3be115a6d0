import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';

interface ManagerOptions {
  readonly out: string;
  readonly image?: string;
  readonly text?: string;
  readonly tokenizer?: string;
}

/** `ocelli visualize`: what parts of a model learned, as pictures. */
export function addVisualizeCommand(program: Command, context: CommandContext): void {
  const visualize = program.command('visualize').description('draw what parts of a model learned');
  visualize
    .command('manager')
    .description('draw how much the managers of a model weigh each level of its encoders, layers by levels')
    .argument('<model>', 'folder of a two-tower model or of LLaVA-OV-Manager, or a JSON file of level weights')
    .requiredOption('--out <file>', 'an .svg or .png file, or a name without ending for both')
    .option('--image <file>', 'picture that adaptive managers look at')
    .option('--text <text>', 'text beside the picture')
    .option('--tokenizer <folder>', "of the text (default: the model's folder)")
    .addHelpText('after', '\nExample:\n  $ ocelli visualize manager models/llava-ov-manager --out weights')
    .action(async (model: string, options: ManagerOptions) => {
      const { visualizeManagerCommand } = await import('../visualize/manager.js');
      context.exitCode = await visualizeManagerCommand(context.terminal, model, options);
    });
}
