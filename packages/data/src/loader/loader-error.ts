import { DataError } from '../data-error.js';

/** Thrown when a loader cannot be made, resumed or go on. `file` and `sampleId` name what it failed at. */
export class LoaderError extends DataError {
  override readonly name = 'LoaderError';
}
