import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from '../command-line.js';
import { UsageError } from '../errors.js';
import type { Precision } from '../plan/precision.js';
import { positiveInteger } from './arguments.js';

const precisions = ['float32', 'bfloat16', 'float16', 'int8', 'int4'] as const satisfies readonly Precision[];

interface PlanOptions {
  readonly model?: string;
  readonly recipe?: string;
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
    .option('--model <name>', 'name of a backbone, such as clip-vit-large-patch14-336 or vicuna-7b-v1.5')
    .addOption(
      new Option(
        '--recipe <name>',
        'a published multimodal model, as SYSTEM:VARIANT, or SYSTEM for a table of its variants; ' +
          'systems: manager, honeybee, convllava, moai, eagle',
      ).conflicts('model'),
    )
    .option('--image <size>', "size of images in pixels, such as 336x336 (default: the model's own)", imageSize)
    .option(
      '--context <tokens>',
      "length in tokens: of a text (default: 2048, or the longest there is), or of a recipe's sequences with their " +
        'visual tokens (default: 128 tokens of text, in training the published length)',
      positiveInteger,
    )
    .option('--batch <count>', 'images, texts or sequences at a time', positiveInteger, 1)
    .addOption(new Option('--dtype <dtype>', 'memory under this dtype only').choices(precisions))
    .option('--lora <rank>', 'train low-rank adapters instead of all parameters', positiveInteger)
    .option('--json', 'print the plan as JSON')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  $ ocelli plan --model vicuna-7b-v1.5 --context 2048 --lora 128',
        '  $ ocelli plan --recipe honeybee',
        '  $ ocelli plan --recipe eagle:x5-7b --dtype bfloat16',
      ].join('\n'),
    )
    .action(async ({ model, recipe, dtype, lora, json = false, ...options }: PlanOptions) => {
      const { planModelCommand, planRecipeCommand } = await import('../plan/plan.js');
      const all = { ...options, precisions: dtype ? [dtype] : precisions, loraRank: lora, json };
      if (recipe !== undefined) {
        context.exitCode = planRecipeCommand(context.terminal, recipe, all);
      } else if (model !== undefined) {
        context.exitCode = planModelCommand(context.terminal, model, all);
      } else {
        throw new UsageError('plan: expected --model NAME or --recipe SYSTEM[:VARIANT], received neither.');
      }
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
