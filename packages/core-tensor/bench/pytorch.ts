import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decoderSize } from './decoder-model.js';
import { median } from './measure.js';

const script = fileURLToPath(new URL('./decoder_step.py', import.meta.url));
const interpreters = ['python3', '/usr/bin/python3'];
/** OpenBLAS's own choice of kernels, and those of the widest vectors, which it does not choose on every processor. */
const coreTypes = [undefined, 'SkylakeX'];

/** PyTorch in a process of its own. */
export interface PyTorch {
  /** Seconds of a forward and backward pass, or of a 2048³ product. */
  measure(what: 'step' | 'matmul'): Promise<number>;
  /** Version, threads and BLAS. */
  readonly details: Readonly<Record<string, unknown>>;
  close(): void;
}

/** Starts PyTorch with the kernels that multiply fastest here; `undefined` where it is not installed. */
export async function startPyTorch(): Promise<PyTorch | undefined> {
  for (const interpreter of interpreters) {
    const candidates = await Promise.all(coreTypes.map((coreType) => start(interpreter, coreType)));
    const running = candidates.filter((each) => each !== undefined);
    if (running.length === 0) continue;
    const rated: { candidate: PyTorch; seconds: number }[] = [];
    for (const candidate of running) rated.push({ candidate, seconds: await medianOf(candidate, 'matmul', 5) });
    rated.sort((a, b) => a.seconds - b.seconds);
    for (const { candidate } of rated.slice(1)) candidate.close();
    return rated[0]!.candidate;
  }
  return undefined;
}

async function medianOf(torch: PyTorch, what: 'step' | 'matmul', rounds: number): Promise<number> {
  await torch.measure(what);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await torch.measure(what));
  return median(times);
}

async function start(interpreter: string, coreType: string | undefined): Promise<PyTorch | undefined> {
  const { OPENBLAS_CORETYPE: _, ...environment } = process.env;
  const env = coreType === undefined ? environment : { ...environment, OPENBLAS_CORETYPE: coreType };
  const child = spawn(interpreter, [script, JSON.stringify(decoderSize)], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string | undefined;
  const first = await Promise.race([next(), failure(child)]);
  if (first === undefined) return undefined;
  const details = { ...(JSON.parse(first) as Record<string, unknown>), openblasCore: coreType ?? 'as detected' };
  return {
    details,
    measure: async (what) => {
      child.stdin.write(`${what}\n`);
      return Number(await next());
    },
    close: () => child.stdin.end(),
  };
}

function failure(child: ChildProcess): Promise<undefined> {
  return new Promise((resolve) => child.once('error', () => resolve(undefined)));
}
