import { open, readFile } from 'node:fs/promises';
import { writeFileAtomically } from '@ocelli/core-tensor';
import { withFile } from '../errors.js';
import type { MetricWriter } from './metric-writer.js';

export interface JsonLinesOptions {
  /** Step that the run goes on from: later lines in the file belong to steps that are made again, and are removed. */
  readonly fromStep: number;
}

/**
 * Appends metrics to a file, one JSON object a line: `{"step":1,"stage":"align","loss":2.3,…}`.
 *
 * @throws RunFileError if the file cannot be written.
 */
export async function openJsonLines(file: string, { fromStep }: JsonLinesOptions): Promise<MetricWriter> {
  await withFile('write', file, () => removeLaterLines(file, fromStep));
  const handle = await withFile('write', file, () => open(file, 'a'));
  return {
    write: ({ step, stage, values }) =>
      withFile('write', file, () => handle.appendFile(`${JSON.stringify({ step, stage, ...values })}\n`)),
    close: () => handle.close(),
  };
}

async function removeLaterLines(file: string, fromStep: number): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const kept = text.split('\n').filter((line) => stepOf(line) <= fromStep);
  const shortened = kept.map((line) => `${line}\n`).join('');
  if (shortened !== text) await writeFileAtomically(file, shortened);
}

/** Infinity for a line that a crash cut off. */
function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { step: number }).step);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
