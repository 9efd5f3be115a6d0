import { randomUUID } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { withFile } from '../errors.js';
import { type EventMessage, encodeEvent, sessionStart } from './event-record.js';
import type { MetricWriter } from './metric-writer.js';

export interface EventFileOptions {
  /** Step that the run goes on from; TensorBoard drops what earlier files hold of later steps. */
  readonly fromStep: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Writes metrics as scalars to a new TensorBoard event file in a folder, under `STAGE/NAME`.
 *
 * @throws RunFileError if the file cannot be written.
 */
export async function openEventFile(folder: string, { fromStep, now }: EventFileOptions): Promise<MetricWriter> {
  const seconds = String(Math.floor(now() / 1000)).padStart(10, '0');
  const file = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${randomUUID().slice(0, 8)}`);
  const handle = await withFile('write', file, async () => {
    await mkdir(folder, { recursive: true });
    return open(file, 'wx');
  });
  const append = (event: Omit<EventMessage, 'wall_time'>) =>
    withFile('write', file, () => handle.appendFile(encodeEvent({ wall_time: now() / 1000, ...event })));
  await append({ file_version: 'brain.Event:2' });
  if (fromStep > 0) await append({ step: fromStep + 1, session_log: { status: sessionStart } });
  return {
    write: ({ step, stage, values }) =>
      append({
        step,
        summary: {
          value: Object.entries(values).map(([name, value]) => ({ tag: `${stage}/${name}`, simple_value: value })),
        },
      }),
    close: () => handle.close(),
  };
}
