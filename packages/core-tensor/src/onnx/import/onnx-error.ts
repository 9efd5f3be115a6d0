import { type ErrorDetails, OcelliError } from '../../errors.js';

/** {@link ErrorDetails} of an ONNX model, with the file and the node it is about. */
export interface OnnxErrorDetails extends ErrorDetails {
  /** Path of the file; absent for bytes in memory. */
  readonly file?: string | undefined;
  /** Name of the node, or of its first result where it has none; absent where the model as a whole is wrong. */
  readonly node?: string | undefined;
  /** Its operator, with the domain where that is not the default one: `Conv`, `com.microsoft.Attention`. */
  readonly operator?: string | undefined;
}

/** An ONNX model that is malformed, or needs something that is not supported. The message names file, node and operator. */
export class OnnxError extends OcelliError {
  override readonly name: string = 'OnnxError';
  readonly file: string | undefined;
  readonly node: string | undefined;
  readonly operator: string | undefined;

  constructor(details: OnnxErrorDetails) {
    const { file, node, operator } = details;
    const place = operator === undefined ? '' : ` (${operator}, node ${JSON.stringify(node ?? '')})`;
    super({ ...details, operation: `${details.operation}${file === undefined ? '' : ` ${file}`}${place}` });
    this.file = file;
    this.node = node;
    this.operator = operator;
  }
}
