import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError, writeFileAtomically } from '@ocelli/core-tensor';
import { saveTokenizer, type TokenizerFiles } from '@ocelli/data';

/** Files and folders of one trained model. */
export interface RunFolder {
  /** What it was trained from: the configuration with every default filled in. */
  readonly config: string;
  readonly tokenizer: string;
  readonly model: string;
}

export function runFolder(folder: string): RunFolder {
  return { config: join(folder, 'config.json'), tokenizer: join(folder, 'tokenizer'), model: join(folder, 'model') };
}

/** Whether a folder has a checkpoint to go on from. */
export function hasCheckpoint(folder: string): boolean {
  return existsSync(join(folder, 'checkpoints', 'latest'));
}

/**
 * Checks that a run may write into a folder.
 *
 * @param configFile what the run is made from; a file that is not to be written over.
 * @throws ConfigError if the folder holds another run.
 */
export function requireOwnFolder(folder: string, configFile: string, resume: boolean): void {
  const { config, tokenizer, model } = runFolder(folder);
  const traces = [config, tokenizer, model, ...['checkpoints', 'metrics.jsonl', 'recipe.json'].map((name) => join(folder, name))];
  const isReproduction = existsSync(join(folder, 'recipe.json'));
  const isInput = resolve(configFile) === resolve(config) && !hasCheckpoint(folder);
  if (!isInput && !isReproduction && (resume || !traces.some(existsSync))) return;
  throw new ConfigError({
    operation: `train into ${folder}`,
    expected: 'a folder without a run',
    received: isInput ? 'the folder of the configuration, whose name the run needs' : 'one with a run',
    remedy: `${resume || isInput ? 'Choose' : 'Continue the run with --resume, or choose'} another folder with --out.`,
  });
}

/** Writes what is needed to use the model of a run, beside the model. */
export async function describeRun(folder: string, config: object, tokenizer: TokenizerFiles): Promise<void> {
  const paths = runFolder(folder);
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(paths.config, `${JSON.stringify(config, undefined, 2)}\n`);
  await saveTokenizer(tokenizer, paths.tokenizer);
}
