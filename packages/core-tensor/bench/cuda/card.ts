import { execFileSync } from 'node:child_process';
import { inspectCuda } from '../../src/cuda.js';

/** The card that a bench runs on, and what it runs with. */
export interface Card {
  readonly name: string;
  /** Of the driver, as `nvidia-smi` prints it; `undefined` where there is none. */
  readonly driver: string | undefined;
  /** Of Node and NVIDIA's libraries, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The first card of this machine, or why the `cuda` engine cannot run on one. */
export async function findCard(): Promise<Card | { readonly skipped: string }> {
  const { devices, deviceProblem, libraries, hasKoffi } = await inspectCuda();
  if (!hasKoffi) return { skipped: 'the package koffi is not installed' };
  const missing = libraries.find(({ required, path, problem }) => required && (path === undefined || problem));
  if (missing) return { skipped: `${missing.title}: ${missing.problem ?? `not installed; ${missing.install}`}` };
  const [device] = devices;
  if (!device) return { skipped: deviceProblem ?? 'the driver sees no card' };
  const found = libraries.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version] as const]));
  return {
    name: device.name,
    driver: driverVersion(),
    versions: { node: process.versions.node, ...Object.fromEntries(found) },
  };
}

function driverVersion(): string | undefined {
  try {
    const query = ['--query-gpu=driver_version', '--format=csv,noheader', '--id=0'];
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    return execFileSync('nvidia-smi', query, { encoding: 'utf8', stdio: [...stdio] }).trim();
  } catch {
    return undefined;
  }
}
