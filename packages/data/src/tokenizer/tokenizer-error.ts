import { DataError } from '../data-error.js';

/** Thrown when a tokenizer cannot be built, read, written or used. `file` names the file at fault, where there is one. */
export class TokenizerError extends DataError {
  override readonly name = 'TokenizerError';
}
