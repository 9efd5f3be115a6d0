import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { preludeSource } from '../../../../src/engine/cuda/codegen/prelude.js';
import type { Kernel } from '../../../../src/engine/cuda/compiler/program-plan.js';

const run = promisify(execFile);

/** What a kernel takes on one architecture, as the assembler says. */
export interface KernelResources {
  readonly name: string;
  readonly architecture: string;
  readonly registers: number;
  readonly sharedBytes: number;
  readonly stackBytes: number;
  readonly spillStoreBytes: number;
  readonly spillLoadBytes: number;
}

let version: Promise<string | undefined> | undefined;

/** The last line of `nvcc --version`; undefined where there is none on the PATH. */
export function nvccVersion(): Promise<string | undefined> {
  version ??= run('nvcc', ['--version']).then(
    ({ stdout }) => stdout.trim().split('\n').at(-1),
    () => undefined,
  );
  return version;
}

/**
 * Compiles kernels, after the prelude, by NVIDIA's compiler for each architecture (such as `sm_90`); warnings are errors.
 * Kernels of different names share a file.
 *
 * @throws Error with the compiler's words where it refuses.
 */
export async function compileWithNvcc(
  kernels: readonly Kernel[],
  architectures: readonly string[],
  { prelude = preludeSource }: { readonly prelude?: string } = {},
): Promise<KernelResources[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kernels-'));
  try {
    const resources: KernelResources[] = [];
    for (const [index, batch] of batches(kernels).entries()) {
      const file = join(folder, `kernels-${index}.cu`);
      await writeFile(file, [prelude, ...batch.map(({ source }) => source)].join('\n'));
      for (const architecture of architectures) resources.push(...(await compileFile(file, architecture)));
    }
    return resources;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Kernels that may stand in one file: a name once, the same text once. */
function batches(kernels: readonly Kernel[]): Kernel[][] {
  const files: Map<string, Kernel>[] = [];
  for (const kernel of kernels) {
    if (files.some((file) => file.get(kernel.name)?.source === kernel.source)) continue;
    let file = files.find((one) => !one.has(kernel.name));
    if (!file) {
      file = new Map();
      files.push(file);
    }
    file.set(kernel.name, kernel);
  }
  return files.map((file) => [...file.values()]);
}

async function compileFile(file: string, architecture: string): Promise<KernelResources[]> {
  const options = ['-std=c++17', '-cubin', `-arch=${architecture}`, '-Werror', 'all-warnings', '-Xptxas', '-v'];
  try {
    const { stderr, stdout } = await run('nvcc', [...options, '-o', `${file}.${architecture}.cubin`, file], {
      maxBuffer: 2 ** 26,
    });
    return readResources(`${stdout}\n${stderr}`, architecture);
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    throw new Error(`nvcc -arch=${architecture}: ${stderr || stdout || String(error)}`, { cause: error });
  }
}

/** Reads what `ptxas -v` prints of each entry function. */
export function readResources(log: string, architecture: string): KernelResources[] {
  const resources: KernelResources[] = [];
  for (const section of log.split(/ptxas info\s*: Compiling entry function '/).slice(1)) {
    const number = (pattern: RegExp) => Number(pattern.exec(section)?.[1] ?? 0);
    resources.push({
      name: section.slice(0, section.indexOf("'")),
      architecture,
      registers: number(/Used (\d+) registers/),
      sharedBytes: number(/(\d+) bytes smem/),
      stackBytes: number(/(\d+) bytes stack frame/),
      spillStoreBytes: number(/(\d+) bytes spill stores/),
      spillLoadBytes: number(/(\d+) bytes spill loads/),
    });
  }
  return resources;
}
