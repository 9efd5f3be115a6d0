import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import type { CheckResult } from '../check.js';

/** Instruction sets that decide how fast products of matrices are, by the kernel's names; the best last. */
const instructionSets = {
  avx2: 'AVX2',
  fma: 'FMA',
  avx512f: 'AVX-512',
  avx512_vnni: 'VNNI',
  amx_bf16: 'AMX',
  asimd: 'NEON',
} as const;

/** Facts about the processor. */
export interface Processor {
  readonly model: string;
  readonly threads: number;
  /** The kernel's names of its features; undefined where it does not tell. */
  readonly flags: ReadonlySet<string> | undefined;
}

/** The processor's threads and vector instructions. */
export function describeProcessor({ model, threads, flags }: Processor): CheckResult {
  const known = Object.entries(instructionSets).flatMap(([flag, label]) => (flags?.has(flag) ? [label] : []));
  const detail = [`${threads} threads`, model, known.join(' ')].filter((part) => part !== '').join(', ');
  const isSlow = flags !== undefined && !flags.has('avx2') && !flags.has('asimd');
  return {
    name: 'processor',
    status: isSlow ? 'warning' : 'ok',
    detail: isSlow ? `${detail}; without AVX2 training is several times slower` : detail,
  };
}

/** Reads the facts that {@link describeProcessor} judges. */
export async function checkProcessor(): Promise<CheckResult> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1];
  return describeProcessor({
    model: cpus()[0]?.model.trim() ?? '',
    threads: availableParallelism(),
    flags: line === undefined ? undefined : new Set(line.split(/\s+/)),
  });
}
