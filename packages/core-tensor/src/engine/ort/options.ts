/** Options of the `ort` engine. */
export interface OrtOptions {
  /** Execution providers of onnxruntime, the first that supports an operation takes it. Default: `['cpu']`. */
  readonly executionProviders?: readonly string[];
  /** Threads of one operation. Default: one per core that the process may use. */
  readonly threads?: number;
}
