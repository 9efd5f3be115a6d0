import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './published-packages.js';

const isWindows = process.platform === 'win32';

/**
 * Runs a program in a folder.
 *
 * @returns what it wrote to standard output
 * @throws an error with everything it wrote, if it fails
 */
export async function run(folder: string, program: string, args: readonly string[]): Promise<string> {
  try {
    const options = { cwd: folder, shell: isWindows && program !== process.execPath, maxBuffer: 2 ** 26 };
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error(`${program} ${args.join(' ')}\n${message}\n${stdout}${stderr}`);
  }
}

/** Runs the pinned pnpm. */
export function pnpm(folder: string, ...args: readonly string[]): Promise<string> {
  const { packageManager } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    packageManager: string;
  };
  return run(folder, 'npx', ['--yes', packageManager, ...args]);
}

/** Runs a program of Node's. */
export function node(folder: string, ...args: readonly string[]): Promise<string> {
  return run(folder, process.execPath, args);
}
