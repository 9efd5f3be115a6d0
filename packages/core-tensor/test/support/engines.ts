import type { AnyTypedArray } from '../../src/dtype.js';
import { buildGraph } from '../../src/engine/build-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import { startOrtEngine } from '../../src/engine/ort/ort-engine.js';
import { startReferenceEngine } from '../../src/engine/reference/reference-engine.js';
import { startTfjsEngine } from '../../src/engine/tfjs/tfjs-engine.js';
import { Tensor } from '../../src/tensor.js';
import type { HostTensor } from './host-tensor.js';

/** Engines that are compared with the reference engine. */
export const comparedEngines: readonly (readonly [name: string, start: () => Promise<Engine>])[] = [
  ['ort', () => startOrtEngine({ threads: 1 })],
  ['tfjs on wasm', () => startTfjsEngine({ backend: 'wasm' })],
  ['tfjs on cpu', () => startTfjsEngine({ backend: 'cpu' })],
];

/** Starts the reference engine, and another that computes in double precision throughout. */
export async function startReferences(): Promise<{ reference: Engine; exact: Engine }> {
  return { reference: await startReferenceEngine(), exact: await startReferenceEngine({ float64: true }) };
}

export type TensorFunction = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** A function compiled for inputs of the shapes and dtypes of the given ones. */
export async function compileOn(engine: Engine, fn: TensorFunction, inputs: readonly HostTensor[]): Promise<(data: readonly AnyTypedArray[]) => Promise<HostTensor[]>> {
  const placeholders = inputs.map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
  const outputs = [fn(...placeholders)].flat() as Tensor[];
  const { graph } = buildGraph(outputs, placeholders, () => ({ kind: 'constant' }));
  const program = await engine.compile(graph);
  return async (data) => {
    const buffers = inputs.map(({ shape, dtype }, index) => engine.upload(data[index]!, shape, dtype));
    const results = await engine.run(program, buffers);
    const read = await Promise.all(results.map((buffer) => engine.download(buffer)));
    for (const buffer of [...buffers, ...results]) engine.free(buffer);
    return results.map(({ shape, dtype }, index) => ({ shape, dtype, data: read[index]! }));
  };
}

/** Runs a function of tensors on an engine. */
export async function runOn(engine: Engine, fn: TensorFunction, inputs: readonly HostTensor[]): Promise<HostTensor[]> {
  const run = await compileOn(engine, fn, inputs);
  return run(inputs.map(({ data }) => data));
}
