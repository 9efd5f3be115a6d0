import { type Problem, problemMessage, problemOptions } from '../problem.js';

/** Thrown when a tokenizer cannot be built, read, written or used. `file` names the file at fault, where there is one. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
  readonly file: string | undefined;
  readonly value: unknown;

  constructor(problem: Problem & { readonly file?: string; readonly value?: unknown }) {
    super(problemMessage(problem), problemOptions(problem));
    this.file = problem.file;
    this.value = problem.value;
  }
}
