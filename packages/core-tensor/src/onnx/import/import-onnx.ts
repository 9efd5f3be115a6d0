import { modelSource } from './model-source.js';
import { OnnxError } from './onnx-error.js';
import { OnnxModule } from './onnx-module.js';
import { readModel } from './read-model.js';
import { requireOperators, selectNodes } from './select-nodes.js';

/** Options of {@link importOnnx}. */
export interface ImportOnnxOptions {
  /**
   * Names of the values that are wanted: results of the model, or anything that it computes on the way, such as the
   * hidden state of a layer; or a function that chooses among the results. What they do not need is left out, as are its
   * weights. Default: all results.
   */
  readonly outputs?: readonly string[] | ((results: readonly string[]) => readonly string[]);
  /** Folder of the files that hold large tensors. Default: that of the model. */
  readonly folder?: string;
}

/**
 * Reads an ONNX model (opsets 11 to 22, and ONNX Runtime's operators in `com.microsoft` that its optimizer writes).
 * The file is read at once but for its weights, which are read when they are first needed: it has to stay as it is
 * until then.
 *
 * Shapes have to follow from the shapes of the arguments. float64 is computed as float32, and integers of 8, 16 and
 * unsigned 32 bits in a wider type.
 *
 * @param source path of the model, or its bytes, which must not change
 * @throws OnnxError if it cannot be read, is malformed, or needs an opset, an operator, a type of elements or an
 *   attribute that is not supported; the message names node and operator
 *
 * @example
 * ```ts
 * const model = importOnnx('vision_model.onnx', { outputs: ['last_hidden_state'] });
 * const { last_hidden_state } = model.forward({ pixel_values: pixels });
 * ```
 */
export function importOnnx(source: string | Uint8Array, { outputs, folder }: ImportOnnxOptions = {}): OnnxModule {
  const bytes = modelSource(source, folder);
  const model = readModel(bytes);
  const { graph } = model;
  const wanted = typeof outputs === 'function' ? outputs(graph.outputs) : (outputs ?? graph.outputs);
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs.filter((name) => name !== '')));
  const unknown = wanted.find((name) => !computed.has(name) && !graph.outputs.includes(name));
  if (wanted.length === 0 || unknown !== undefined) {
    throw new OnnxError({
      operation: 'importOnnx',
      file: model.file,
      expected: `outputs among ${graph.outputs.join(', ')}, or other values that the model computes`,
      received: unknown === undefined ? 'none' : JSON.stringify(unknown),
    });
  }
  const selected = selectNodes(graph, wanted);
  requireOperators(model, selected);
  return new OnnxModule(model, selected, [...bytes.external]);
}
