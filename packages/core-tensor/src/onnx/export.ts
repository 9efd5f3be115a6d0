import { basename } from 'node:path';
import { topologicalOrder } from '../autodiff/topology.js';
import type { AnyTypedArray } from '../dtype.js';
import { buildGraph } from '../engine/build-graph.js';
import { GraphError } from '../errors.js';
import { stageFile } from '../safetensors/staged-file.js';
import { Tensor } from '../tensor.js';
import type { ExternalConstant } from './builder.js';
import { type LoweredModel, lower } from './lower.js';
import { encodeModel, type OnnxTensor } from './schema.js';

/** Protobuf messages, and so ONNX files, end at 2 GB; larger values go into a second file. */
const largestModel = 2 ** 31 - 2 ** 20;

/** Options of {@link exportOnnx}. */
export interface OnnxExportOptions {
  /** An example of each argument by name: its shape and dtype are those of the file's. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Bytes of constants above which they are kept in `FILE.data` beside the model. Default: what an ONNX file can hold. */
  readonly externalDataAbove?: number;
}

/**
 * Writes a function as an ONNX file that ONNX Runtime reads anywhere, a browser included. Parameters it uses become
 * constants. Results have the names that the function gives them.
 *
 * @param path of the file to write; what is there is replaced when the new file is complete.
 * @param fn for example `({ pixels }) => ({ features: tower.forward(pixels).lastHiddenState })`.
 * @throws GraphError if the function draws random numbers; CheckpointError if the file cannot be written.
 */
export async function exportOnnx(
  path: string,
  fn: (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
  { inputs, externalDataAbove = largestModel }: OnnxExportOptions,
): Promise<void> {
  const names = Object.keys(inputs);
  const placeholders = Object.values(inputs).map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
  const outputs = fn(Object.fromEntries(names.map((name, position) => [name, placeholders[position]!])));
  const values = await readLeaves(Object.values(outputs));
  const { graph } = buildGraph(Object.values(outputs), placeholders, (leaf) => {
    const data = values.get(leaf);
    return data ? { kind: 'constant', data } : { kind: 'constant' };
  });
  const lowered = lower(graph, { inputNames: names, outputNames: Object.keys(outputs), fixedShapes: true });
  if (lowered.randomInputs.length > 0) {
    throw new GraphError({
      operation: 'exportOnnx',
      expected: 'a function without random numbers',
      received: `${lowered.randomInputs.length} draws of random numbers`,
      remedy: 'Export the evaluation form: pass no key to dropout.',
    });
  }
  await writeModel(path, lowered, externalDataAbove);
}

/** Values of the parameters and computed tensors that the results depend on. */
async function readLeaves(results: readonly Tensor[]): Promise<Map<Tensor, AnyTypedArray>> {
  const values = new Map<Tensor, AnyTypedArray>();
  for (const tensor of topologicalOrder(results)) {
    const { kind } = tensor.source;
    if (kind === 'parameter' || kind === 'device') values.set(tensor, await tensor.data());
  }
  return values;
}

async function writeModel(path: string, { model, external }: LoweredModel, externalDataAbove: number): Promise<void> {
  const total = external.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (total <= externalDataAbove) {
    const inside = new Map(external.map(({ name, data }) => [name, { raw_data: data }]));
    await writeFile(path, [encodeModel({ ...model, initializers: placed(model.initializers, inside) })]);
    return;
  }
  const dataPath = `${path}.data`;
  const places = new Map(
    locate(external).map(({ name, offset, length }) => [name, beside(basename(dataPath), offset, length)]),
  );
  // The data first: a model never names data that is not there.
  await writeFile(
    dataPath,
    external.map(({ data }) => data),
  );
  await writeFile(path, [encodeModel({ ...model, initializers: placed(model.initializers, places) })]);
}

function locate(external: readonly ExternalConstant[]): { name: string; offset: number; length: number }[] {
  let offset = 0;
  return external.map(({ name, data }) => {
    offset += data.byteLength;
    return { name, offset: offset - data.byteLength, length: data.byteLength };
  });
}

function beside(location: string, offset: number, length: number): Partial<OnnxTensor> {
  const entries = { location, offset: String(offset), length: String(length) };
  return { data_location: 1, external_data: Object.entries(entries).map(([key, value]) => ({ key, value })) };
}

/** The model's constants with the values of the large ones where `places` says. */
function placed(initializers: readonly OnnxTensor[], places: ReadonlyMap<string, Partial<OnnxTensor>>): OnnxTensor[] {
  return initializers.map((initializer) => {
    const place = places.get(initializer.name);
    return place
      ? { name: initializer.name, dims: initializer.dims, data_type: initializer.data_type, ...place }
      : initializer;
  });
}

async function writeFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const staged = await stageFile(path, async (append) => {
    for (const part of parts) await append(part);
  });
  await staged.commit();
}
