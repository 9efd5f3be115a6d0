import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointStore, openCheckpointStore } from '../checkpoints/checkpoint-store.js';
import { type Restored, restore } from '../checkpoints/restore.js';
import { ResumeError, withFile } from '../errors.js';
import type { JsonValue } from '../json.js';
import { openEventFile } from '../metrics/event-file.js';
import { openJsonLines } from '../metrics/json-lines.js';
import type { MetricRecord, MetricWriter } from '../metrics/metric-writer.js';
import { type Interruption, listenForInterruption } from './interruption.js';
import type { TrainOptions } from './options.js';

/** What a run has open while it lasts. */
export interface Run {
  readonly checkpoints: CheckpointStore;
  /** What it goes on from; undefined for a new run. */
  readonly restored: Restored | undefined;
  readonly interruption: Interruption;
  log(record: MetricRecord): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the folder of a run, and restores its checkpoint where it is resumed.
 *
 * @param config the resolved config.
 * @throws ResumeError if it cannot be resumed, or a new run would write over another one.
 */
export async function openRun<Inputs>(options: TrainOptions<Inputs>, config: JsonValue): Promise<Run> {
  const { directory, model, resume = false, identity = null, now = Date.now, progress, metrics = [] } = options;
  await withFile('open', directory, () => mkdir(directory, { recursive: true }));
  const checkpoints = await openCheckpointStore(join(directory, 'checkpoints'), options.checkpoints);
  let restored: Restored | undefined;
  if (resume !== false) {
    restored = await restore(checkpoints, model, { config, identity }, resume === true ? undefined : resume);
    progress?.message(`Resuming from ${restored.folder}`);
  } else await requireEmpty(directory, checkpoints);

  const own: MetricWriter[] = [];
  const fromStep = restored?.state.step ?? 0;
  try {
    own.push(await openJsonLines(join(directory, 'metrics.jsonl'), { fromStep }));
    own.push(await openEventFile(join(directory, 'tensorboard'), { fromStep, now }));
  } catch (error) {
    await closeAll(own);
    throw error;
  }
  const handleSignals = options.handleSignals ?? true;
  const interruption = listenForInterruption({
    signal: options.signal,
    handleSignals,
    // Who handles the signals tells about them.
    onRequest: () => handleSignals && progress?.message('Stopping after this step; once more to stop at once'),
  });
  return {
    checkpoints,
    restored,
    interruption,
    async log(record) {
      for (const writer of [...own, ...metrics]) await writer.write(record);
    },
    async close() {
      interruption.close();
      progress?.close();
      await closeAll(own);
    },
  };
}

async function closeAll(writers: readonly MetricWriter[]): Promise<void> {
  for (const writer of writers) await writer.close();
}

async function requireEmpty(directory: string, checkpoints: CheckpointStore): Promise<void> {
  const names = await checkpoints.list();
  if (names.length === 0) return;
  throw new ResumeError({
    operation: `start a run in ${directory}`,
    expected: 'a folder without checkpoints',
    received: names.join(', '),
    remedy: 'Resume the run, or choose another folder.',
    file: directory,
  });
}
