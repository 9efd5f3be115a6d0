import { DataError } from '../data-error.js';

/** Thrown when a grid of tiles is described wrongly, or asked about an image it cannot hold. */
export class GridError extends DataError {
  override readonly name = 'GridError';
}
