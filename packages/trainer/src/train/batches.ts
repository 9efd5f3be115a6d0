import { BatchError } from '../errors.js';
import type { JsonValue } from '../json.js';

/** One batch. */
export interface TrainingBatch<Inputs> {
  /** Nested arrays and plain objects of tensors. Other values in them are fixed per compiled program: keep them few. */
  readonly inputs: Inputs;
  /** Samples in it, for samples per second. */
  readonly samples?: number;
  /** Tokens in it, for tokens per second. */
  readonly tokens?: number;
  /** Names of the samples, for errors. */
  readonly sampleIds?: readonly string[];
}

/** Batches that can be taken up again where they were left. */
export interface ResumableBatches<Inputs> extends AsyncIterable<TrainingBatch<Inputs>> {
  /** Where the stream is: after the last batch that was handed out. */
  state(): JsonValue;
  close?(): Promise<void> | void;
}

/** Batches of one step, and where their stream was after them. */
export interface TakenBatches<Inputs> {
  readonly batches: readonly TrainingBatch<Inputs>[];
  readonly cursor: JsonValue;
}

/** Takes batches from a stream, the next one while the engine computes. */
export interface BatchReader<Inputs> {
  take(count: number): Promise<TakenBatches<Inputs>>;
  close(): Promise<void>;
}

/**
 * Reads a stream one batch ahead.
 *
 * @param wanted batches that will be taken in all: none beyond them is asked for.
 */
export function readBatches<Inputs>(source: ResumableBatches<Inputs>, wanted: number): BatchReader<Inputs> {
  const iterator = source[Symbol.asyncIterator]();
  let remaining = wanted;
  let ahead: Promise<IteratorResult<TrainingBatch<Inputs>>> | undefined;

  const next = async (): Promise<TakenBatches<Inputs>> => {
    const { value, done } = await (ahead ?? iterator.next());
    if (done) {
      throw new BatchError({
        operation: 'train',
        expected: `${remaining} more batches`,
        received: 'the end of the data',
        remedy: 'Make the batches endless, or lower the steps of the stage.',
      });
    }
    // Before the next batch is asked for, which moves the stream on.
    const cursor = JSON.parse(JSON.stringify(source.state())) as JsonValue;
    remaining--;
    ahead = remaining > 0 ? iterator.next() : undefined;
    // It fails when the batch is taken; until then a failure must not count as unhandled.
    ahead?.catch(() => undefined);
    return { batches: [value], cursor };
  };

  return {
    async take(count) {
      let taken = await next();
      for (let i = 1; i < count; i++) {
        const { batches, cursor } = await next();
        taken = { batches: [...taken.batches, ...batches], cursor };
      }
      return taken;
    },
    async close() {
      await source.close?.();
      // A stream that is stuck must not keep the run from ending.
      iterator.return?.()?.catch(() => undefined);
    },
  };
}

/** Batches in memory, over and over, in order. State: how many were handed out. */
export function repeatBatches<Inputs>(
  batches: readonly TrainingBatch<Inputs>[],
  state: JsonValue = 0,
): ResumableBatches<Inputs> {
  let handedOut = Number(state);
  if (batches.length === 0 || !Number.isSafeInteger(handedOut) || handedOut < 0) {
    throw new BatchError({
      operation: 'repeatBatches',
      expected: 'at least one batch, and a state of its own',
      received: `${batches.length} batches and ${JSON.stringify(state)}`,
    });
  }
  return {
    state: () => handedOut,
    async *[Symbol.asyncIterator]() {
      while (true) yield batches[handedOut++ % batches.length]!;
    },
  };
}

/** A stream with every element turned into a batch, for a loader of other things. */
export function mapBatches<Element, Inputs>(
  source: AsyncIterable<Element> & { state(): unknown; close?(): Promise<void> | void },
  toBatch: (element: Element) => TrainingBatch<Inputs> | Promise<TrainingBatch<Inputs>>,
): ResumableBatches<Inputs> {
  return {
    state: () => source.state() as JsonValue,
    close: () => source.close?.(),
    async *[Symbol.asyncIterator]() {
      for await (const element of source) yield await toBatch(element);
    },
  };
}
