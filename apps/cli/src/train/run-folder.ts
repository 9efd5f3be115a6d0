import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, writeFileAtomically } from '@ocelli/core-tensor';
import { saveTokenizer, type TokenizerFiles } from '@ocelli/data';

/** Files and folders of a run with one model. */
export interface RunFolder {
  /** What it was trained from, with every default filled in. */
  readonly config: string;
  readonly tokenizer: string;
  readonly model: string;
}

export function runFolder(folder: string): RunFolder {
  return { config: join(folder, 'config.json'), tokenizer: join(folder, 'tokenizer'), model: join(folder, 'model') };
}

/** Whether a run has a checkpoint to go on from. */
export function hasCheckpoint(folder: string): boolean {
  return existsSync(join(folder, 'checkpoints', 'latest'));
}

/**
 * Checks that a run may write into a folder.
 *
 * @param resume whether the folder may have this run already.
 * @throws ConfigError if it has another one.
 */
export async function requireOwnFolder(folder: string, config: object, resume: boolean): Promise<void> {
  const { config: configFile, tokenizer, model } = runFolder(folder);
  const recipe = join(folder, 'recipe.json');
  const refuse = (expected: string, received: string, remedy: string) =>
    new ConfigError({ operation: `train into ${folder}`, expected, received, remedy });
  const otherFolder = 'Choose another folder with --out.';
  if (existsSync(recipe)) throw refuse('a folder without a run', 'one of a reproduction', otherFolder);
  const traces = [configFile, tokenizer, model, join(folder, 'checkpoints'), join(folder, 'metrics.jsonl')];
  if (!traces.some(existsSync)) return;
  if (!resume) {
    throw refuse(
      'a folder without a run',
      'one with a run',
      'Continue it with --resume, or choose another folder with --out.',
    );
  }
  // A checkpoint knows what it is of: the trainer names what differs.
  if (hasCheckpoint(folder) || !existsSync(configFile)) return;
  if ((await readFile(configFile, 'utf8')) !== textOf(config)) {
    throw refuse(`${configFile} to hold the settings of this run`, 'others', otherFolder);
  }
}

/** Writes what is needed to use the model of a run beside the model. */
export async function describeRun(folder: string, config: object, tokenizer: TokenizerFiles): Promise<void> {
  const paths = runFolder(folder);
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(paths.config, textOf(config));
  await saveTokenizer(tokenizer, paths.tokenizer);
}

function textOf(config: object): string {
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
