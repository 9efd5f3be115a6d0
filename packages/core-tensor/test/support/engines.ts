import type { AnyTypedArray } from '../../src/dtype.js';
import { buildGraph } from '../../src/engine/build-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import { startOrtEngine } from '../../src/engine/ort/ort-engine.js';
import { startTfjsEngine } from '../../src/engine/tfjs/tfjs-engine.js';
import { Tensor } from '../../src/tensor.js';
import type { HostTensor } from './host-tensor.js';

/** Engines that are compared with the reference engine. */
export const comparedEngines: readonly (readonly [name: string, start: () => Promise<Engine>])[] = [
  ['ort', () => startOrtEngine({ threads: 1 })],
  ['tfjs on wasm', () => startTfjsEngine({ backend: 'wasm' })],
  ['tfjs on cpu', () => startTfjsEngine({ backend: 'cpu' })],
];

/** A function of as many tensors as a test has inputs. */
// biome-ignore lint/suspicious/noExplicitAny: functions of one, two or more tensors are all meant.
export type TensorFunction = (...inputs: any[]) => Tensor | readonly Tensor[];

/** A function compiled for inputs of the shapes and dtypes of the given ones. */
export async function compileOn(
  engine: Engine,
  fn: TensorFunction,
  inputs: readonly HostTensor[],
): Promise<(data: readonly AnyTypedArray[]) => Promise<HostTensor[]>> {
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
