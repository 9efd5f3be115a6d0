import { copyFile, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CheckpointError } from '@ocelli/core-tensor';

/**
 * Copies a model and the files beside it into a folder, each appearing whole or not at all.
 *
 * @param external names of the files beside the model, as it calls them
 * @param target the folder, and the subfolder of it where they shall lie
 * @returns path of the copy, from the folder on
 * @throws CheckpointError if a file cannot be read or written
 */
export async function copyModelFiles(
  file: string,
  external: readonly string[],
  { folder, subfolder }: { readonly folder: string; readonly subfolder: string },
): Promise<string> {
  const name = basename(file);
  // The model last: it never names data that is not there.
  for (const each of [...external, name]) await copyWhole(join(dirname(file), each), join(folder, subfolder, each));
  return `${subfolder}/${name}`;
}

async function copyWhole(source: string, target: string): Promise<void> {
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    if ((await realPathOf(target)) === (await realpath(source))) return;
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, temporary);
    const handle = await open(temporary, 'r+');
    await handle.sync().finally(() => handle.close());
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new CheckpointError({
      operation: 'copy',
      file: source,
      expected: `to write ${target}`,
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Check both paths.',
      cause,
    });
  }
}

function realPathOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}
