/** Details of an {@link ImageError}. */
export interface ImageErrorDetails {
  /** What was being done, such as `decodeImage`. */
  readonly operation: string;
  /** The file or the description of the bytes concerned. */
  readonly source: string;
  readonly expected: string;
  readonly received: string;
  readonly remedy: string;
  readonly cause?: unknown;
}

/** Thrown when an image cannot be read, or an operation on pixels is given values it cannot work with. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly operation: string;
  readonly source: string;
  readonly expected: string;
  readonly received: string;
  readonly remedy: string;

  constructor(details: ImageErrorDetails) {
    super(
      `${details.operation} (${details.source}): expected ${details.expected}, received ${details.received}; ${details.remedy}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.operation = details.operation;
    this.source = details.source;
    this.expected = details.expected;
    this.received = details.received;
    this.remedy = details.remedy;
  }
}
