import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decoderSize } from './decoder-model.js';

const script = fileURLToPath(new URL('./decoder_step.py', import.meta.url));
const interpreters = ['python3', '/usr/bin/python3'];

/** Environment of a process; `undefined` takes a variable away. */
export type Settings = Readonly<Record<string, string | undefined>>;

/**
 * What makes PyTorch fast on one machine or another: OpenBLAS's own choice of kernels, or those of the widest vectors,
 * which it does not choose on every processor; and OpenMP threads that do not spin while OpenBLAS's threads work.
 */
export const tunings: readonly Settings[] = [
  { OPENBLAS_CORETYPE: undefined, GOMP_SPINCOUNT: '0' },
  { OPENBLAS_CORETYPE: 'SkylakeX', GOMP_SPINCOUNT: '0' },
];

/** PyTorch in a process of its own. */
export interface PyTorch {
  /** Seconds of a forward and backward pass. */
  step(): Promise<number>;
  /** Version, threads and BLAS. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly settings: Settings;
  close(): void;
}

/** Starts PyTorch in an environment with these changes; `undefined` where it is not installed. */
export async function startPyTorch(settings: Settings): Promise<PyTorch | undefined> {
  for (const interpreter of interpreters) {
    const child = spawn(interpreter, [script, JSON.stringify(decoderSize)], {
      env: { ...process.env, ...settings },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value as string | undefined;
    const first = await Promise.race([next(), failure(child)]);
    if (first === undefined) continue;
    return {
      details: JSON.parse(first) as Record<string, unknown>,
      settings,
      step: async () => {
        child.stdin.write('step\n');
        return Number(await next());
      },
      close: () => child.stdin.end(),
    };
  }
  return undefined;
}

/** Starts PyTorch under each of the {@link tunings} and keeps the one whose step is the fastest here. */
export async function startTunedPyTorch(): Promise<PyTorch | undefined> {
  let fastest: { torch: PyTorch; seconds: number } | undefined;
  for (const settings of tunings) {
    const torch = await startPyTorch(settings);
    if (!torch) return undefined;
    const times = [await torch.step(), await torch.step(), await torch.step()];
    const seconds = Math.min(...times);
    const isFaster = !fastest || seconds < fastest.seconds;
    (isFaster ? fastest?.torch : torch)?.close();
    if (isFaster) fastest = { torch, seconds };
  }
  return fastest?.torch;
}

function failure(child: ChildProcess): Promise<undefined> {
  return new Promise((resolve) => child.once('error', () => resolve(undefined)));
}
