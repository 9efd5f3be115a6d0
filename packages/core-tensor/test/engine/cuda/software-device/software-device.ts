import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('.', import.meta.url));
const cache = fileURLToPath(new URL('../../../../node_modules/.cache/software-device', import.meta.url));
const compiler = 'g++';
const flags = [
  '-std=c++20',
  '-shared',
  '-fPIC',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wl,-Bsymbolic',
  '-pthread',
];

/** Under this name, which no real driver has, the products' library finds the driver's. */
const linkName = 'libsoftware-device.so';

/** The libraries, the folders of their sources and how each is built. The products' library calls the driver's. */
const libraries = [
  { name: 'libcuda.so.1', folder: 'driver', flags: ['-O2', `-Wl,-soname,${linkName}`, '-ldl'] },
  { name: 'libnvrtc.so.13', folder: 'compiler', flags: ['-O2', `-DSOFTWARE_COMPILER="${compiler}"`, '-ldl'] },
  {
    name: 'libcublasLt.so.13',
    folder: 'product',
    flags: ['-O3', '-march=native', '-ffp-contract=fast', '-Wl,-rpath,$ORIGIN', '-L.', `-l:${linkName}`],
  },
] as const;

const staleAfterDays = 7;

/** A folder of libraries, or why there is none. */
export type SoftwareDevice = { readonly folder: string } | { readonly skipped: string };

let device: Promise<SoftwareDevice> | undefined;

/**
 * Builds the software device where that has not been done, and gives the folder that holds its `libcuda.so.1`,
 * `libnvrtc.so.13` and `libcublasLt.so.13`. Test workers may do so at once: the folder appears under its name when it is
 * complete.
 */
export function softwareDevice(): Promise<SoftwareDevice> {
  device ??= buildOnce();
  return device;
}

async function buildOnce(): Promise<SoftwareDevice> {
  if (process.platform !== 'linux') return { skipped: 'the software device needs Linux' };
  let version: string;
  try {
    version = (await run(compiler, ['--version'])).stdout;
  } catch {
    return { skipped: `the software device is built by ${compiler}, which is not installed` };
  }
  const folder = join(cache, await contentHash(version));
  while (!(await exists(folder))) {
    const lock = `${folder}.lock`;
    if (await takeLock(lock)) {
      try {
        if (!(await exists(folder))) await buildInto(folder);
      } finally {
        await rm(lock, { force: true });
      }
    } else {
      await setTimeout(100);
    }
  }
  await removeOldPrograms(folder);
  return { folder };
}

/** Builds under another name, so that a folder of this name is complete. */
async function buildInto(folder: string): Promise<void> {
  await removeStale();
  const building = join(cache, `building-${randomUUID()}`);
  await mkdir(building);
  try {
    await build(building);
    await rename(building, folder);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    // Another may have put the same there: one that found this process's lock left behind, or so it seemed.
    if (!(await exists(folder))) throw error;
  }
}

/** Whether this process may build; else another does. A lock whose process has ended is removed. */
async function takeLock(lock: string): Promise<boolean> {
  await mkdir(cache, { recursive: true });
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = Number(await readFile(lock, 'utf8').catch(() => 'gone'));
  if (owner > 0 && !isRunning(owner)) await rm(lock, { force: true });
  return false;
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(join(sources, folder));
  return names
    .filter((name) => /\.(h|cpp)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

async function contentHash(compilerVersion: string): Promise<string> {
  const hash = createHash('sha256')
    .update(compilerVersion)
    .update(JSON.stringify([flags, libraries]));
  for (const { folder } of libraries)
    for (const file of await filesOf(folder)) hash.update(file).update(await readFile(join(sources, file)));
  // What the processor can do decides what -march=native means.
  const processor = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  hash.update(/^(flags|Features)\s*:.*$/m.exec(processor)?.[0] ?? process.arch);
  return hash.digest('hex').slice(0, 24);
}

async function build(target: string): Promise<void> {
  await cp(join(sources, 'compiler'), join(target, 'compiler'), { recursive: true });
  // All files of a library in one, so that what they include is read once.
  const compile = async ({ name, folder, flags: own }: (typeof libraries)[number]) => {
    const files = (await filesOf(folder)).filter((file) => file.endsWith('.cpp'));
    const whole = join(target, `${folder}.cpp`);
    await writeFile(whole, files.map((file) => `#include "${join(sources, file)}"\n`).join(''));
    await run(compiler, [...flags, whole, '-o', name, ...own], { cwd: target });
  };
  const [driver, nvrtc, product] = libraries;
  await symlink(driver.name, join(target, linkName));
  await Promise.all([compile(driver).then(() => compile(product)), compile(nvrtc)]);
}

/** Folders of earlier sources, which nothing has used for a while. */
async function removeStale(): Promise<void> {
  await removeOlder(cache, staleAfterDays);
}

/** Compiled programs that nothing has used for a while; looked for once a day. */
async function removeOldPrograms(folder: string): Promise<void> {
  if ((await ageInDays(folder)) < 1) return;
  const now = new Date();
  await utimes(folder, now, now);
  await removeOlder(join(folder, 'kernels'), staleAfterDays);
}

async function removeOlder(parent: string, days: number): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const path = join(parent, name);
    if ((await ageInDays(path)) > days) await rm(path, { recursive: true, force: true });
  }
}

async function ageInDays(path: string): Promise<number> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  return (Date.now() - mtimeMs) / 86_400_000;
}
