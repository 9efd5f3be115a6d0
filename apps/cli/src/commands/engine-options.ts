import { type Command, Option } from 'commander';
import { UnknownNameError, UsageError } from '../errors.js';

interface EngineSettings {
  readonly engine?: string;
  readonly precision?: string;
}

/** Commands that compute with tensors. */
const computing: ReadonlySet<string> = new Set(['reproduce', 'train', 'eval', 'generate', 'visualize', 'parity']);

/** `--engine` and `--precision` of all commands that compute. */
export function addEngineOptions(program: Command): void {
  for (const command of program.commands.filter((each) => computing.has(each.name()))) addOptions(command);
  program.hook('preAction', async (_, command) => {
    const { engine, precision } = command.opts<EngineSettings>();
    if (engine === undefined && precision === undefined) return;
    await chooseEngine(command.opts<EngineSettings>());
  });
}

function addOptions(command: Command): void {
  if (command.commands.length > 0) {
    for (const each of command.commands) addOptions(each);
    return;
  }
  command
    .addOption(
      new Option('--engine <name>', 'what computes: ort (on the CPU), cuda, tfjs or reference').env('OCELLI_ENGINE'),
    )
    .addOption(
      new Option('--precision <type>', 'how the cuda engine computes float32').choices(['float32', 'tf32', 'bfloat16']),
    );
}

async function chooseEngine({ engine = 'ort', precision }: EngineSettings): Promise<void> {
  if (precision !== undefined && engine !== 'cuda') {
    throw new UsageError(`--precision: expected --engine cuda, received ${engine}: only that engine has precisions.`);
  }
  const { engineNames, useEngine } = await import('@ocelli/core-tensor');
  if (!(engineNames as readonly string[]).includes(engine)) throw new UnknownNameError('engine', engine, engineNames);
  await useEngine(engine as 'cuda', precision === undefined ? {} : { precision: precision as 'bfloat16' });
}
