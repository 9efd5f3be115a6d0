/** What every error of the project says, in the order in which its message says it. */
export interface ErrorDetails {
  /** What was being done, for example `matmul` or `read model.safetensors`. */
  readonly operation: string;
  /** What the operation needs, as the object of "expected". */
  readonly expected: string;
  /** What it got instead, as the object of "received". */
  readonly received: string;
  /** What the reader can do about it, as a sentence. */
  readonly remedy?: string | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function messageOf({ operation, expected, received, remedy }: ErrorDetails): string {
  const problem = sentence(`${operation}: expected ${expected}, received ${received}`);
  return remedy === undefined ? problem : `${problem} ${sentence(remedy)}`;
}

/**
 * Base of every error that the project throws on purpose. The message reads
 * `operation: expected …, received …. Remedy.`; the parts are kept as fields.
 */
export class OcelliError extends Error {
  override readonly name: string = 'OcelliError';
  readonly operation: string;
  readonly expected: string;
  readonly received: string;
  readonly remedy: string | undefined;

  constructor(details: ErrorDetails) {
    super(messageOf(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.operation = details.operation;
    this.expected = details.expected;
    this.received = details.received;
    this.remedy = details.remedy;
  }
}

/** `[2, 3]` for a shape, `[]` for a scalar. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function formatShapes(shapes: readonly (readonly number[])[]): string {
  const texts = shapes.map(formatShape);
  const last = texts.pop() ?? 'no shapes';
  return texts.length === 0 ? last : `${texts.join(', ')} and ${last}`;
}

/** {@link ErrorDetails} whose `received` may be the offending shapes themselves. */
export interface ShapeErrorDetails extends Omit<ErrorDetails, 'received'> {
  /** A text, or the list of shapes: `[[2, 3], [4, 5]]` is printed as `[2, 3] and [4, 5]`. */
  readonly received: string | readonly (readonly number[])[];
}

/** Shapes that do not fit an operation. */
export class ShapeError extends OcelliError {
  override readonly name: string = 'ShapeError';
  /** The offending shapes in the order of the arguments; empty where `received` was given as text. */
  readonly shapes: readonly (readonly number[])[];

  constructor(details: ShapeErrorDetails) {
    const { received } = details;
    super({ ...details, received: typeof received === 'string' ? received : formatShapes(received) });
    this.shapes = typeof received === 'string' ? [] : received.map((shape) => [...shape]);
  }
}

/** A dtype that does not fit an operation. */
export class DTypeError extends OcelliError {
  override readonly name: string = 'DTypeError';
}

/** {@link ErrorDetails} of a checkpoint, with the file and the tensor it is about. */
export interface CheckpointErrorDetails extends ErrorDetails {
  /** Path of the file; absent for bytes in memory. */
  readonly file?: string | undefined;
  /** Name of the tensor; absent where the file as a whole is wrong. */
  readonly key?: string | undefined;
}

/** A checkpoint that is malformed, incomplete, or cannot be read or written. The message names file and key. */
export class CheckpointError extends OcelliError {
  override readonly name: string = 'CheckpointError';
  readonly file: string | undefined;
  readonly key: string | undefined;

  constructor(details: CheckpointErrorDetails) {
    const { file, key } = details;
    const place = `${file === undefined ? '' : ` ${file}`}${key === undefined ? '' : ` (key ${JSON.stringify(key)})`}`;
    super({ ...details, operation: `${details.operation}${place}` });
    this.file = file;
    this.key = key;
  }
}

/** An engine that could not be started, could not compile a graph, or failed while running one. */
export class EngineError extends OcelliError {
  override readonly name: string = 'EngineError';
}

/** A config or an option whose value is not allowed. */
export class ConfigError extends OcelliError {
  override readonly name: string = 'ConfigError';
}

/** A graph used in a way its structure does not allow, such as data asked for while tracing. */
export class GraphError extends OcelliError {
  override readonly name: string = 'GraphError';
}
