import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from '../command-line.js';
import type { Precision } from '../plan/plan-model.js';
import { positiveInteger } from './arguments.js';

const precisions = ['float32', 'bfloat16', 'float16', 'int8', 'int4'] as const satisfies readonly Precision[];

interface PlanOptions {
  readonly model: string;
  readonly image?: readonly [height: number, width: number];
  readonly context?: number;
  readonly batch: number;
  readonly dtype?: Precision;
  readonly lora?: number;
  readonly json?: boolean;
}

/** `ocelli plan`: what a published model costs, without its weights. */
export function addPlanCommand(program: Command, context: CommandContext): void {
  program
    .command('plan')
    .description("print a published model's parameters, operations, visual tokens and memory, without its weights")
    .requiredOption('--model <name>', 'name of the model, such as clip-vit-large-patch14-336 or vicuna-7b-v1.5')
    .option('--image <size>', "size of images in pixels, such as 336x336 (default: the model's own)", imageSize)
    .option('--context <tokens>', 'length of texts in tokens (default: 2048, or the longest there is)', positiveInteger)
    .option('--batch <count>', 'images or texts at a time', positiveInteger, 1)
    .addOption(new Option('--dtype <dtype>', 'memory under this dtype only').choices(precisions))
    .option('--lora <rank>', 'train low-rank adapters instead of all parameters', positiveInteger)
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', '\nExample:\n  $ ocelli plan --model vicuna-7b-v1.5 --context 2048 --lora 128')
    .action(async ({ dtype, lora, json = false, ...options }: PlanOptions) => {
      const { planCommand } = await import('../plan/plan.js');
      context.exitCode = planCommand(context.terminal, {
        ...options,
        precisions: dtype ? [dtype] : precisions,
        loraRank: lora,
        json,
      });
    });
}

/** `336x336`: height and width; `336` for a square. */
function imageSize(text: string): readonly [height: number, width: number] {
  const [, height, width = height] = /^(\d{1,6})(?:[x×](\d{1,6}))?$/.exec(text) ?? [];
  const size = [Number(height), Number(width)] as const;
  if (!size.every((length) => length >= 1)) {
    throw new InvalidArgumentError('Expected height and width in pixels, such as 336x336.');
  }
  return size;
}
