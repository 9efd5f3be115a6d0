import { EngineError, GraphError } from '../errors.js';
import { isElementwise } from '../graph/elementwise.js';
import { Parameter } from '../nn/parameter.js';
import { Tensor } from '../tensor.js';
import { buildGraph } from './build-graph.js';
import { dispose } from './dispose.js';
import type { DeviceBuffer, Engine, Program } from './engine.js';
import { bindAll, materialize } from './evaluate.js';
import { cachedProgram } from './program-cache.js';
import { currentEngine } from './select.js';

export interface UpdateOptions {
  /** Tensors that nothing needs after this update: their memory is given back as soon as it has run. */
  readonly consume?: readonly Tensor[];
}

/** An update that an engine has been told to make. */
export interface QueuedUpdate {
  /** Resolves when it is made; rejects with EngineError if it fails. */
  readonly done: Promise<void>;
}

/**
 * Writes results over existing tensors, `into[i]` taking output i. Resolves as soon as the engine has the order: what
 * is computed afterwards sees the new values, so there is no need to wait for `done`.
 */
export type Update = (
  inputs: readonly Tensor[],
  into: readonly Tensor[],
  options?: UpdateOptions,
) => Promise<QueuedUpdate>;

/**
 * Makes a function of tensors a program that changes tensors where they are, such as an optimizer's step. It is traced
 * once per shapes and dtypes of its inputs. Parameters among the targets change their `version`.
 *
 * A target may be an input as well where every operation of the function is elementwise, on tensors of the targets'
 * shape and scalars.
 *
 * @param fn must use its arguments and numbers only.
 * @throws GraphError where a target is an input of a function that is not elementwise.
 *
 * @example
 * ```ts
 * const addTo = compileUpdate(([sum, x]) => [add(sum!, x!)]);
 * await addTo([total, gradient], [total], { consume: [gradient] });
 * ```
 */
export function compileUpdate(fn: (inputs: readonly Tensor[]) => readonly Tensor[]): Update {
  const traces = new Map<string, Promise<Trace>>();
  return async (inputs, into, { consume = [] } = {}) => {
    const engine = await currentEngine();
    await materialize([...inputs, ...into]);
    const signature = inputs.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`).join();
    let trace = traces.get(signature);
    if (!trace || (await trace).engine !== engine) {
      trace = traceUpdate(engine, fn, inputs);
      traces.set(signature, trace);
      trace.catch(() => traces.delete(signature));
    }
    const { program, isInPlace } = await trace;
    if (!isInPlace && into.some((target) => inputs.includes(target))) throw notElementwise();
    const bound = await bindAll(engine, inputs);
    const targets = await Promise.all(into.map((target) => targetBuffer(engine, target)));
    const done = engine
      .run(
        program,
        bound.map(({ buffer }) => buffer),
        targets,
      )
      .then(() => undefined);
    // A failure that nobody waits for also fails whatever is computed next.
    done.catch(() => undefined);
    for (const { buffer, isTemporary } of bound) if (isTemporary) engine.free(buffer);
    for (const target of into) if (target instanceof Parameter) target.version++;
    dispose(consume);
    return { done };
  };
}

interface Trace {
  readonly engine: Engine;
  readonly program: Program;
  readonly isInPlace: boolean;
}

async function traceUpdate(
  engine: Engine,
  fn: (inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
): Promise<Trace> {
  const placeholders = inputs.map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
  const { graph } = buildGraph(fn(placeholders), placeholders, () => ({ kind: 'constant' }));
  return { engine, program: await cachedProgram(engine, graph), isInPlace: isElementwise(graph) };
}

async function targetBuffer(engine: Engine, target: Tensor): Promise<DeviceBuffer> {
  if (target instanceof Parameter) return target.bufferOn(engine);
  if (target.source.kind === 'device' && target.source.buffer.engine === engine) return target.source.buffer;
  throw new EngineError({
    operation: 'compileUpdate',
    expected: `targets that the ${engine.name} engine holds`,
    received:
      target.source.kind === 'device' ? `one of another engine (${target.source.buffer.engine.name})` : `host values`,
    remedy: 'Targets are parameters, or results that were computed on the engine in use.',
  });
}

function notElementwise(): GraphError {
  return new GraphError({
    operation: 'compileUpdate',
    expected: 'elementwise operations where a target is an input',
    received: 'a function with other operations or shapes, which may read an input after writing over it',
    remedy: 'Write the result into another tensor.',
  });
}
