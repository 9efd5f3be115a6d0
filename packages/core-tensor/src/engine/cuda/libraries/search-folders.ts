import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** A folder in which libraries are looked for, and why there. */
export interface SearchFolder {
  readonly path: string;
  readonly origin: string;
}

/** What the search depends on. */
export interface SearchSurroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** Folders of the system, and `/usr/local` or what stands for it. */
  readonly system: readonly string[];
  readonly local: string;
  /** What `ldconfig -p` prints. */
  loaderCache(): string;
}

/** The machine that this runs on. */
export function surroundings(): SearchSurroundings {
  return {
    variables: process.env,
    platform: process.platform,
    home: homedir(),
    system: process.platform === 'win32' ? [join(process.env.SystemRoot ?? 'C:\\Windows', 'System32')] : systemFolders,
    local: '/usr/local',
    loaderCache,
  };
}

const systemFolders = [
  '/usr/lib/wsl/lib',
  '/usr/local/nvidia/lib64',
  '/usr/local/nvidia/lib',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/run/opengl-driver/lib',
] as const;

/**
 * Folders in which NVIDIA's libraries may be, the most telling first: `OCELLI_CUDA_LIBRARIES`, the loader's path and cache,
 * the system's, those of toolkits, of conda and of Python environments (the `nvidia-*` packages).
 */
export function searchFolders(around: SearchSurroundings): SearchFolder[] {
  const { variables, platform, local, system } = around;
  const isWindows = platform === 'win32';
  const folders: SearchFolder[] = [];
  const seen = new Set<string>();
  const add = (origin: string, paths: readonly string[]) => {
    for (const path of paths) {
      // Stubs are for linking: they have the names and do nothing.
      if (path === '' || seen.has(path) || /[\\/]stubs[\\/]?$/.test(path)) continue;
      seen.add(path);
      folders.push({ path, origin });
    }
  };
  const listed = (name: string) => (variables[name] ?? '').split(delimiter);
  add('OCELLI_CUDA_LIBRARIES', listed('OCELLI_CUDA_LIBRARIES'));
  if (isWindows) add('PATH', listed('PATH'));
  else {
    add('LD_LIBRARY_PATH', listed('LD_LIBRARY_PATH'));
    add("the loader's cache", cachedFolders(around.loaderCache()));
  }
  add('the system', system);
  for (const name of ['CUDA_HOME', 'CUDA_PATH'] as const) {
    const home = variables[name];
    if (home) add(name, toolkitFolders(home, isWindows));
  }
  if (!isWindows) {
    const toolkits = matching(local, /^cuda(-\d.*)?$/).sort(newestFirst);
    add(
      `toolkits in ${local}`,
      toolkits.flatMap((path) => toolkitFolders(path, false)),
    );
  }
  const conda = variables.CONDA_PREFIX;
  if (conda) {
    const targets = matching(join(conda, 'targets'), /./).map((path) => join(path, 'lib'));
    add('CONDA_PREFIX', isWindows ? [join(conda, 'Library', 'bin')] : [join(conda, 'lib'), ...targets]);
  }
  for (const packages of pythonPackageFolders(around))
    add('Python packages', nvidiaPackageFolders(packages, isWindows));
  return folders;
}

function toolkitFolders(home: string, isWindows: boolean): string[] {
  if (isWindows) return [join(home, 'bin', 'x64'), join(home, 'bin')];
  return [
    join(home, 'lib64'),
    join(home, 'lib'),
    ...matching(join(home, 'targets'), /./).map((path) => join(path, 'lib')),
  ];
}

/** Folders in which Python environments keep their packages: the active ones, then the machine's. */
function pythonPackageFolders({ variables, platform, home, local }: SearchSurroundings): string[] {
  const isWindows = platform === 'win32';
  const inside = (root: string) =>
    isWindows
      ? [join(root, 'Lib', 'site-packages')]
      : matching(join(root, 'lib'), /^python3/)
          .sort(newestFirst)
          .flatMap((path) => [join(path, 'site-packages'), join(path, 'dist-packages')]);
  const active = [variables.VIRTUAL_ENV, variables.CONDA_PREFIX].filter((root) => root !== undefined && root !== '');
  const roots = [
    ...(active as string[]),
    ...(isWindows ? [] : usedEnvironment(variables.PATH ?? '')),
    join(process.cwd(), '.venv'),
    join(home, '.local'),
    ...matching(join(variables.PYENV_ROOT ?? join(home, '.pyenv'), 'versions'), /./).sort(newestFirst),
    ...(isWindows ? [] : [local, '/usr']),
  ];
  const path = (variables.PYTHONPATH ?? '').split(delimiter).filter((each) => each !== '');
  return [...path, ...roots.flatMap(inside)];
}

/** The environment of the Python that is started by its name: the folder around the `bin` that it is in, or links to. */
function usedEnvironment(path: string): string[] {
  const file = path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'python3'))
    .find((each) => existsSync(each));
  if (file === undefined) return [];
  return [dirname(dirname(file)), dirname(dirname(realpathSync(file)))];
}

/** `nvidia/cublas/lib` and the like up to CUDA 12, `nvidia/cu13/lib` from 13 on. */
function nvidiaPackageFolders(packages: string, isWindows: boolean): string[] {
  return matching(join(packages, 'nvidia'), /^[^_]/).flatMap((path) =>
    isWindows ? [join(path, 'bin', 'x86_64'), join(path, 'bin')] : [join(path, 'lib')],
  );
}

function cachedFolders(printed: string): string[] {
  return [...printed.matchAll(/=>\s*(\/.*\/lib(?:cuda|nvrtc|cublasLt|cudnn|nccl)\.so[\d.]*)\s*$/gm)].map((match) =>
    dirname(match[1]!),
  );
}

/** Entries of a folder whose names fit, as paths; none where there is no such folder. */
function matching(folder: string, name: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((each) => name.test(each))
      .sort()
      .map((each) => join(folder, each));
  } catch {
    return [];
  }
}

function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true });
}

function loaderCache(): string {
  for (const command of ['ldconfig', '/sbin/ldconfig']) {
    try {
      return execFileSync(command, ['-p'], { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      // Not every system has one.
    }
  }
  return '';
}
