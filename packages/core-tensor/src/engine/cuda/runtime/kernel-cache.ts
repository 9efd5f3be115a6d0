import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A kernel inside a compiled module. */
export interface CachedKernel {
  /** Hash of the module's text. */
  readonly module: string;
  /** The name that the kernel has in it. */
  readonly symbol: string;
}

/** Keeps compiled kernels between processes. What cannot be read is as if it were not there. */
export interface KernelCache {
  /** Where a kernel was compiled to. */
  find(kernel: string): Promise<CachedKernel | undefined>;
  /** What the driver loads. */
  readModule(module: string): Promise<Uint8Array | undefined>;
  /** Keeps a module and where its kernels are; a folder that cannot be written keeps nothing. */
  write(module: string, image: Uint8Array, symbols: ReadonlyMap<string, string>): Promise<void>;
}

/** First bytes of a module's file; the last is the version of its form. */
const magic = Buffer.from('ocelli-kernels\n1\n');
const digestBytes = 32;

/** The folder that compiled kernels are kept in unless another is chosen. */
export function kernelCacheFolder(variables: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = process.platform === 'win32' ? variables.LOCALAPPDATA : variables.XDG_CACHE_HOME;
  return join(variables.OCELLI_CACHE || join(base || join(homedir(), '.cache'), 'ocelli'), 'cuda');
}

/** A cache in a folder, which several processes may use at once. */
export function createKernelCache(folder: string): KernelCache {
  const moduleFile = (module: string) => join(folder, 'modules', `${module}.bin`);
  const kernelFile = (kernel: string) => join(folder, 'kernels', kernel);
  return {
    async find(kernel) {
      const text = await readFile(kernelFile(kernel), 'utf8').catch(() => '');
      const match = /^([0-9a-f]{64}) (\w+)\n$/.exec(text);
      return match ? { module: match[1]!, symbol: match[2]! } : undefined;
    },
    async readModule(module) {
      const file = await readFile(moduleFile(module)).catch(() => undefined);
      const start = magic.length + digestBytes;
      if (!file || file.length <= start || !file.subarray(0, magic.length).equals(magic)) return undefined;
      const image = file.subarray(start);
      // A copy, as the driver reads it from where an array begins.
      return digestOf(image).equals(file.subarray(magic.length, start)) ? new Uint8Array(image) : undefined;
    },
    async write(module, image, symbols) {
      try {
        await mkdir(join(folder, 'modules'), { recursive: true });
        await mkdir(join(folder, 'kernels'), { recursive: true });
        await writeWhole(moduleFile(module), Buffer.concat([magic, digestOf(image), image]));
        for (const [kernel, symbol] of symbols) await writeWhole(kernelFile(kernel), `${module} ${symbol}\n`);
      } catch {
        // A start that compiles again is slower, and right all the same.
      }
    },
  };
}

/** A cache that keeps nothing. */
export const noKernelCache: KernelCache = {
  find: async () => undefined,
  readModule: async () => undefined,
  write: async () => undefined,
};

/** Hash of texts, each with its length, so that no two lists share one. */
export function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  return hash.digest('hex');
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Others see the whole file or none. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.part`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
