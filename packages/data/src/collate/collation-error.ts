import { type Problem, problemMessage, problemOptions } from '../problem.js';

/** Thrown when samples cannot become a batch. `sampleId` names the sample at fault. */
export class CollationError extends Error {
  override readonly name = 'CollationError';
  readonly sampleId: string | undefined;
  readonly value: unknown;

  constructor(problem: Problem & { readonly sampleId?: string; readonly value?: unknown }) {
    super(problemMessage(problem), problemOptions(problem));
    this.sampleId = problem.sampleId;
    this.value = problem.value;
  }
}
