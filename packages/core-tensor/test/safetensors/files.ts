import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

/** A fixture of `test/fixtures/backbones`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/backbones/${name}`, import.meta.url));
}

/** Makes folders that are gone after the test. */
export function temporaryFolders(): () => Promise<string> {
  const folders: string[] = [];
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocelli-safetensors-'));
    folders.push(folder);
    return folder;
  };
}

/** The bytes of a file with this header, given as a value or as text, and this many bytes of data. */
export function fileBytes(header: unknown, dataBytes: number): Uint8Array<ArrayBuffer> {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(
    Uint8Array.from({ length: dataBytes }, (_, i) => i),
    8 + json.length,
  );
  return bytes;
}

export async function writeBytes(folder: string, name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}
