import { DataError } from '../data-error.js';

/** Thrown when samples cannot become a batch. `sampleId` names the sample at fault. */
export class CollationError extends DataError {
  override readonly name = 'CollationError';
}
