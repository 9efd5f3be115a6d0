import type { Reporter } from '../terminal.js';

/** What every part of a reproduction is given. */
export interface ReproduceContext {
  readonly reporter: Reporter;
  /** Aborted when the work should stop after the current step. */
  readonly signal: AbortSignal;
}
