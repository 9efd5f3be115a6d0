import { type CudaReport, inspectCuda, type LibraryReport } from '@ocelli/core-tensor/cuda';
import { type CheckResult, inGibibytes } from '../check.js';

/** Whether the `cuda` engine can compute on this machine. Without an NVIDIA driver there is nothing to do. */
export function describeCuda({ libraries, devices, deviceProblem, hasKoffi }: CudaReport): CheckResult[] {
  const name = 'CUDA';
  const [driver, ...others] = libraries as readonly [LibraryReport, ...LibraryReport[]];
  if (driver.path === undefined) return [{ name, status: 'ok', detail: 'no NVIDIA driver; the CPU computes' }];
  if (!hasKoffi) {
    const detail = `driver at ${driver.path}; the package koffi, through which it is called, is not installed`;
    return [{ name, status: 'warning', detail, remedy: 'npm install koffi' }];
  }
  if (driver.problem !== undefined) {
    return [{ name, status: 'warning', detail: `${driver.path}: ${driver.problem}`, remedy: driver.install }];
  }
  const cards = devices.map(
    ({ index, name: card, capability, totalBytes, multiprocessors }) =>
      `card ${index}: ${card}, compute capability ${capability.join('.')}, ${inGibibytes(totalBytes)}, ${multiprocessors} multiprocessors`,
  );
  const found = cards.length > 0 ? cards.join('; ') : `no card: ${deviceProblem ?? 'the driver sees none'}`;
  return [
    {
      name,
      status: cards.length > 0 ? 'ok' : 'warning',
      detail: `driver for ${driver.version} (${driver.path}); ${found}`,
    },
    ...others.map(describeLibrary),
  ];
}

function describeLibrary(library: LibraryReport): CheckResult {
  const { title, purpose, required, without, path, version, problem, install } = library;
  const common = { name: title, status: required ? ('warning' as const) : ('ok' as const) };
  if (problem !== undefined) return { ...common, detail: `${path}: ${problem}`, remedy: install };
  if (path !== undefined) {
    const needless = required ? '' : `; not used: ${without}`;
    return { name: title, status: 'ok', detail: `${version ?? 'of unknown version'} (${path})${needless}` };
  }
  if (required) return { ...common, detail: `not found; for ${purpose}`, remedy: install };
  return { ...common, detail: `not found, nor needed: ${without}` };
}

/** Looks for what {@link describeCuda} judges. */
export async function checkCuda(): Promise<CheckResult[]> {
  return describeCuda(await inspectCuda());
}
