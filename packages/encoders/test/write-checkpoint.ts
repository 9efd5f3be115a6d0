import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Module, type TensorSources, writeSafetensors } from '@ocelli/core-tensor';

/** Values of a module's parameters as a file holds them, their names changed. */
export async function weightsOf(
  module: Module,
  rename = (name: string) => name,
): Promise<Record<string, { dtype: 'float32'; shape: readonly number[]; data: Float32Array }>> {
  const entries = Object.entries(await module.state());
  return Object.fromEntries(
    entries.map(([name, { shape, data }]) => [
      rename(name),
      { dtype: 'float32', shape, data: data as Float32Array } as const,
    ]),
  );
}

/** A tensor that no encoder has. */
export const foreign = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;

/** A new folder with a safetensors file, and a `config.json` if one is given. */
export async function writeCheckpoint(tensors: TensorSources, config?: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocelli-encoder-'));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  if (config) await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}
