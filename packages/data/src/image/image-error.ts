import { DataError, type DataErrorDetails } from '../data-error.js';

/** Details of an {@link ImageError}. */
export interface ImageErrorDetails
  extends Pick<DataErrorDetails, 'operation' | 'expected' | 'received' | 'remedy' | 'cause'> {
  /** The file or the description of the bytes concerned. */
  readonly source: string;
}

/** Thrown when an image cannot be read, or an operation on pixels is given values it cannot work with. */
export class ImageError extends DataError {
  override readonly name = 'ImageError';
  /** The file or the description of the bytes concerned. */
  readonly source: string;

  constructor(details: ImageErrorDetails) {
    super({ ...details, operation: `${details.operation} (${details.source})` });
    this.source = details.source;
  }
}
