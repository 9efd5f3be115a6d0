import { historiesOf } from '../autodiff/history.js';
import type { AnyTypedArray } from '../dtype.js';
import { Parameter } from '../nn/parameter.js';
import { type Tensor, traceError } from '../tensor.js';
import { buildGraph, isInline } from './build-graph.js';
import type { DeviceBuffer, Engine } from './engine.js';
import { cachedProgram } from './program-cache.js';
import { currentEngine } from './select.js';

/** @internal Computes a tensor and reads it. */
export async function evaluate(tensor: Tensor): Promise<AnyTypedArray> {
  await materialize([tensor]);
  const { source } = tensor;
  if (source.kind === 'host') return source.data;
  if (source.kind !== 'device') return tensor.data();
  return source.buffer.engine.download(source.buffer);
}

/**
 * Computes tensors together, sharing what they have in common, and keeps the results where the engine is. Later uses
 * start from there.
 */
export async function materialize(tensors: readonly Tensor[]): Promise<void> {
  const pending = [...new Set(tensors)].filter(
    ({ source }) => source.kind === 'operation' || source.kind === 'segment' || source.kind === 'input',
  );
  if (pending.length === 0) return;
  const engine = await currentEngine();
  const { graph, inputs } = buildGraph(pending, [], (leaf) => {
    if (leaf.source.kind === 'input') throw traceError('data');
    return { kind: isInline(leaf) ? 'constant' : 'input' };
  });
  const program = await cachedProgram(engine, graph);
  const bound = await bindAll(engine, inputs);
  const results = await engine.run(
    program,
    bound.map(({ buffer }) => buffer),
  );
  for (const { buffer, isTemporary } of bound) if (isTemporary) engine.free(buffer);
  const histories = historiesOf(pending);
  pending.forEach((tensor, index) => {
    tensor.source = { kind: 'device', buffer: results[index]!, history: histories[index] };
  });
}

/** A leaf's values on an engine; temporary if they were put there for this use alone. */
export interface BoundLeaf {
  readonly buffer: DeviceBuffer;
  readonly isTemporary: boolean;
}

/** Brings the leaves' values to the engine. */
export async function bindAll(engine: Engine, leaves: readonly Tensor[]): Promise<BoundLeaf[]> {
  return Promise.all(leaves.map((leaf) => bind(engine, leaf)));
}

async function bind(engine: Engine, leaf: Tensor): Promise<BoundLeaf> {
  if (leaf instanceof Parameter) return { buffer: await leaf.bufferOn(engine), isTemporary: false };
  const { source, shape, dtype } = leaf;
  if (source.kind === 'host') return { buffer: engine.upload(source.data, shape, dtype), isTemporary: true };
  if (source.kind !== 'device') throw traceError('run');
  if (source.buffer.engine === engine) return { buffer: source.buffer, isTemporary: false };
  const moved = await source.buffer.engine.download(source.buffer);
  return { buffer: engine.upload(moved, shape, dtype), isTemporary: true };
}
