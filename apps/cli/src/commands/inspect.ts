import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';

interface InspectOptions {
  readonly base?: string;
  readonly revision?: string;
  readonly tensors?: boolean;
  readonly json?: boolean;
}

/** `ocelli inspect`: what a checkpoint holds. */
export function addInspectCommand(program: Command, context: CommandContext): void {
  program
    .command('inspect')
    .description('print the model in a checkpoint, its parameters, dtypes and sizes, and what does not fit')
    .argument('<checkpoint>', 'folder, safetensors file or index, or the id of a model on the Hugging Face hub')
    .option('--base <model>', 'folder or id of the model that an adapter is for')
    .option('--revision <revision>', 'branch, tag or commit of a model on the hub')
    .option('--tensors', 'list the tensors')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nExample:\n  $ ocelli inspect models/vicuna-7b-v1.5')
    .action(async (checkpoint: string, options: InspectOptions) => {
      const { inspectCommand } = await import('../inspect/inspect.js');
      context.exitCode = await inspectCommand(context.terminal, checkpoint, options);
    });
}
