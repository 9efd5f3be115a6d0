import { type Problem, problemMessage, problemOptions } from '../problem.js';

/** Thrown when a conversation, a file of conversations or a template is not usable. `sampleId` names the sample at fault. */
export class ConversationError extends Error {
  override readonly name = 'ConversationError';
  readonly sampleId: string | undefined;
  readonly file: string | undefined;
  readonly value: unknown;

  constructor(problem: Problem & { readonly sampleId?: string; readonly file?: string; readonly value?: unknown }) {
    super(problemMessage(problem), problemOptions(problem));
    this.sampleId = problem.sampleId;
    this.file = problem.file;
    this.value = problem.value;
  }
}
