import { tmpdir } from 'node:os';
import { exitCodes } from '../errors.js';
import type { Terminal } from '../terminal.js';
import type { Check, CheckResult } from './check.js';
import { checkCuda } from './checks/cuda.js';
import { checkDiskSpace } from './checks/disk-space.js';
import { checkEngine } from './checks/engine.js';
import { checkImageDecoding } from './checks/image-decoding.js';
import { checkMemory } from './checks/memory.js';
import { checkNodeVersion } from './checks/node-version.js';
import { checkCudaProvider } from './checks/onnx-cuda-provider.js';
import { checkOnnxRuntime } from './checks/onnx-runtime.js';
import { checkProcessor } from './checks/processor.js';

const checks: readonly Check[] = [
  () => checkNodeVersion(),
  checkProcessor,
  () => checkMemory(),
  () => checkOnnxRuntime(),
  checkEngine,
  checkCuda,
  checkCudaProvider,
  () => checkImageDecoding(),
  () => checkDiskSpace('here', process.cwd()),
  () => checkDiskSpace('temporary', tmpdir()),
];

/** Checks everything that training needs on this machine. */
export async function runDoctor(): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) results.push(...[await check()].flat());
  return results;
}

/** The results as lines of aligned columns, remedies below what they are for. */
export function formatCheckResults(results: readonly CheckResult[]): string {
  const nameWidth = Math.max(...results.map(({ name }) => name.length));
  return results
    .map(({ name, status, detail, remedy }) => {
      const line = `${status.padEnd('problem'.length)}  ${name.padEnd(nameWidth)}  ${detail}`;
      return remedy === undefined ? line : `${line}\n${' '.repeat('problem'.length + nameWidth + 4)}try: ${remedy}`;
    })
    .join('\n');
}

/** `ocelli doctor`. Fails if there is a problem; warnings are no failure. */
export async function doctorCommand(terminal: Terminal, { json }: { json: boolean }): Promise<number> {
  const results = await runDoctor();
  terminal.write(`${json ? JSON.stringify(results, undefined, 2) : formatCheckResults(results)}\n`);
  return results.some(({ status }) => status === 'problem') ? exitCodes.failure : exitCodes.success;
}
