import { DataError } from '../data-error.js';

/** Thrown when a conversation, a file of conversations or a template is not usable. `sampleId` names the sample at fault. */
export class ConversationError extends DataError {
  override readonly name = 'ConversationError';
}
