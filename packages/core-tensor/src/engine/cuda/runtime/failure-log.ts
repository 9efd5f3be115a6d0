import type { EngineError } from '../../../errors.js';
import type { Driver } from '../libraries/driver.js';
import type { Address, Native } from '../libraries/native.js';
import { failureBytes, failureOf } from './failure-word.js';
import type { Timeline } from './timeline.js';

/** A run whose kernels may find an index out of range, which the card notes and computes on. */
export interface DoubtfulRun {
  readonly ticket: number;
  /** Whether the host knows how it went. */
  isSettled: boolean;
  error: EngineError | undefined;
}

/** What kernels noted, run by run. */
export interface FailureLog {
  /** Reads and clears the failure word behind what is on the stream. */
  record(): DoubtfulRun;
  /** Waits for what is on the stream; throws if it noted a failure. */
  check(): Promise<void>;
  /** Looks at what a run noted, if the card has come that far. */
  settle(run: DoubtfulRun): void;
  close(): void;
}

/** Runs between two of which one has to be known before the other's note takes its place. */
const slotCount = 1024;

/** @param failure address of the failure word, which is cleared here. */
export function createFailureLog(
  { driver, native, timeline }: { readonly driver: Driver; readonly native: Native; readonly timeline: Timeline },
  failure: Address,
): FailureLog {
  const address = driver.allocateHost(slotCount * failureBytes);
  const bytes = native.view(address, slotCount * failureBytes);
  const slots: (DoubtfulRun | undefined)[] = Array.from({ length: slotCount }, () => undefined);
  const places = new WeakMap<DoubtfulRun, number>();
  let next = 0;
  const clear = () => driver.fill(failure, 0, failureBytes, timeline.stream);
  clear();
  timeline.touch();

  const settle = (run: DoubtfulRun) => {
    if (run.isSettled || !timeline.isDone(run.ticket)) return;
    const words = new Int32Array(bytes.buffer, places.get(run)! * failureBytes, failureBytes / 4);
    run.error = failureOf(words);
    run.isSettled = true;
  };
  const log: FailureLog = {
    async check() {
      const run = log.record();
      await timeline.wait(run.ticket);
      settle(run);
      if (run.error) throw run.error;
    },
    record() {
      const place = next;
      next = (next + 1) % slotCount;
      const before = slots[place];
      if (before && !before.isSettled) {
        timeline.block(before.ticket);
        settle(before);
      }
      driver.copyToHost(address + place * failureBytes, failure, failureBytes, timeline.stream);
      clear();
      timeline.touch();
      const run: DoubtfulRun = { ticket: timeline.ticket(), isSettled: false, error: undefined };
      slots[place] = run;
      places.set(run, place);
      return run;
    },
    settle,
    close: () => driver.freeHost(address),
  };
  return log;
}
