import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { CheckResult } from '../check.js';
import { resolveFrom } from '../require-from.js';

/** What the CUDA execution provider needs, besides the driver. */
const libraries = ['libcuda.so', 'libcudart.so', 'libcublasLt.so', 'libcudnn.so'] as const;

const folders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/usr/local/cuda/lib64',
  '/opt/cuda/lib64',
  '/usr/lib/wsl/lib',
];

/** Facts about NVIDIA GPUs and what onnxruntime needs for them. */
export interface CudaProviderFacts {
  /** The driver's version; undefined without a driver. */
  readonly driver: string | undefined;
  /** Names of shared libraries that programs can load. */
  readonly libraries: readonly string[];
  /** Whether onnxruntime-node's CUDA provider is installed. */
  readonly hasProvider: boolean;
}

/** Whether the `ort` engine could compute on an NVIDIA GPU. Where its provider is not installed there is nothing to say. */
export function describeCudaProvider({ driver, libraries: found, hasProvider }: CudaProviderFacts): CheckResult[] {
  if (driver === undefined || !hasProvider) return [];
  const name = 'onnxruntime on CUDA';
  const missing = libraries.filter((library) => !found.some((each) => each.startsWith(library)));
  if (missing.length > 0) {
    const remedy = missing.includes('libcudnn.so')
      ? 'apt-get install cuda-libraries-12-8 libcudnn9-cuda-12'
      : 'apt-get install cuda-libraries-12-8';
    return [{ name, status: 'warning', detail: `driver ${driver}; not found: ${missing.join(', ')}`, remedy }];
  }
  return [{ name, status: 'ok', detail: `driver ${driver}, ${libraries.join(', ')}` }];
}

/** Reads the facts that {@link describeCudaProvider} judges. */
export async function checkCudaProvider(): Promise<CheckResult[]> {
  return describeCudaProvider({
    driver: await driverVersion(),
    libraries: await sharedLibraries(),
    hasProvider: hasProvider(),
  });
}

async function driverVersion(): Promise<string | undefined> {
  const text = await readFile('/proc/driver/nvidia/version', 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (/\s(\d+(?:\.\d+)+)\s/.exec(text)?.[1] ?? 'of unknown version');
}

/** The loader's cache, and the usual folders for what is not in it. */
async function sharedLibraries(): Promise<string[]> {
  const cached = await promisify(execFile)('ldconfig', ['-p'], { timeout: 5000 }).then(
    ({ stdout }) => stdout,
    () => '',
  );
  const fromCache = [...cached.matchAll(/^\s*(\S+\.so\S*)/gm)].map((match) => match[1]!);
  const paths = [...folders, ...(process.env.LD_LIBRARY_PATH ?? '').split(':')].filter(
    (folder) => folder !== '' && existsSync(folder),
  );
  return [...fromCache, ...paths.flatMap((folder) => readdirSync(folder))];
}

function hasProvider(): boolean {
  try {
    const root = dirname(dirname(resolveFrom('@ocelli/core-tensor', 'onnxruntime-node')));
    return existsSync(join(root, 'bin/napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so'));
  } catch {
    return false;
  }
}
