import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';

interface ManagerOptions {
  readonly out: string;
  readonly image?: string;
  readonly text?: string;
  readonly tokenizer?: string;
}

interface MoaiOptions extends ManagerOptions {
  readonly findings?: string;
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
  visualize
    .command('moai')
    .description('draw how much the gates of a MoAI model give each expert, layers by experts')
    .argument('<model>', "folder or hub id of a MoAI model, or a JSON file of its gates' weights")
    .requiredOption('--out <file>', 'an .svg or .png file, or a name without ending for both')
    .option('--image <file>', 'picture that the gates look at')
    .option('--text <text>', 'question about the picture')
    .option('--findings <file>', 'JSON file of what external vision models found (default: nothing)')
    .option('--tokenizer <folder>', "of the question (default: the model's folder)")
    .addHelpText(
      'after',
      '\nExample:\n  $ ocelli visualize moai models/moai-7b --image cat.jpg --text "What is it?" --out gates',
    )
    .action(async (model: string, options: MoaiOptions) => {
      const { visualizeMoaiCommand } = await import('../visualize/moai.js');
      context.exitCode = await visualizeMoaiCommand(context.terminal, model, options);
    });
}
