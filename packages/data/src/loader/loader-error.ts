import { type Problem, problemMessage, problemOptions } from '../problem.js';

/** Thrown when a loader cannot be made, resumed or go on. `file` and `sampleId` name what it failed at. */
export class LoaderError extends Error {
  override readonly name = 'LoaderError';
  readonly file: string | undefined;
  readonly sampleId: string | undefined;
  readonly value: unknown;

  constructor(problem: Problem & { readonly file?: string; readonly sampleId?: string; readonly value?: unknown }) {
    super(problemMessage(problem), problemOptions(problem));
    this.file = problem.file;
    this.sampleId = problem.sampleId;
    this.value = problem.value;
  }
}
