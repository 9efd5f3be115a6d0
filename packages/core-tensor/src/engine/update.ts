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

/** One of several updates that are made together. */
export interface TensorUpdate extends UpdateOptions {
  readonly inputs: readonly Tensor[];
  readonly into: readonly Tensor[];
}

/** Makes updates of any tensors, all by one function, that do not depend on each other. */
export type Updates = (updates: readonly TensorUpdate[]) => Promise<QueuedUpdate>;

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
  const updates = compileUpdates(fn);
  return (inputs, into, options) => updates([{ inputs, into, ...options }]);
}

/**
 * {@link compileUpdate} for many tensors at once, such as all parameters of a model: an engine that is told so in one
 * program starts it once.
 *
 * @throws GraphError where a target is an input of a function that is not elementwise.
 */
export function compileUpdates(fn: (inputs: readonly Tensor[]) => readonly Tensor[]): Updates {
  const traces = new Map<string, Promise<Trace>>();
  const traceOf = async (engine: Engine, groups: readonly (readonly Tensor[])[]): Promise<Trace> => {
    const signature = groups
      .map((inputs) => inputs.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`).join())
      .join(';');
    let trace = traces.get(signature);
    if (!trace || (await trace).engine !== engine) {
      trace = traceUpdates(engine, fn, groups);
      traces.set(signature, trace);
      trace.catch(() => traces.delete(signature));
    }
    return trace;
  };
  return async (updates) => {
    const engine = await currentEngine();
    await materialize(updates.flatMap(({ inputs, into }) => [...inputs, ...into]));
    const together = engine.joinsUpdates ? [updates] : updates.map((update) => [update]);
    const started = await Promise.all(together.map((each) => applyTogether(engine, traceOf, each)));
    const done = Promise.all(started.map(({ ran }) => ran)).then(() => undefined);
    // A failure that nobody waits for also fails whatever is computed next.
    done.catch(() => undefined);
    return { done };
  };
}

/** Tells the engine to run one program; the result resolves when it has. */
async function applyTogether(
  engine: Engine,
  traceOf: (engine: Engine, groups: readonly (readonly Tensor[])[]) => Promise<Trace>,
  updates: readonly TensorUpdate[],
): Promise<{ readonly ran: Promise<unknown> }> {
  const { program, isInPlace } = await traceOf(
    engine,
    updates.map(({ inputs }) => inputs),
  );
  const isTarget = ({ inputs, into }: TensorUpdate) => into.some((target) => inputs.includes(target));
  if (!isInPlace && updates.some(isTarget)) throw notElementwise();
  const bound = await bindAll(
    engine,
    updates.flatMap(({ inputs }) => inputs),
  );
  const into = updates.flatMap((update) => update.into);
  const targets = await Promise.all(into.map((target) => targetBuffer(engine, target)));
  const ran = engine.run(
    program,
    bound.map(({ buffer }) => buffer),
    targets,
  );
  ran.catch(() => undefined);
  for (const { buffer, isTemporary } of bound) if (isTemporary) engine.free(buffer);
  for (const target of into) if (target instanceof Parameter) target.version++;
  for (const { consume = [] } of updates) dispose(consume);
  return { ran };
}

interface Trace {
  readonly engine: Engine;
  readonly program: Program;
  readonly isInPlace: boolean;
}

async function traceUpdates(
  engine: Engine,
  fn: (inputs: readonly Tensor[]) => readonly Tensor[],
  groups: readonly (readonly Tensor[])[],
): Promise<Trace> {
  const placeholders = groups.map((inputs) =>
    inputs.map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' })),
  );
  const graphOf = (outputs: readonly Tensor[], inputs: readonly Tensor[]) =>
    buildGraph(outputs, inputs, () => ({ kind: 'constant' })).graph;
  const outputs = placeholders.map((inputs) => fn(inputs));
  return {
    engine,
    program: await cachedProgram(engine, graphOf(outputs.flat(), placeholders.flat())),
    isInPlace: outputs.every((each, index) => isElementwise(graphOf(each, placeholders[index]!))),
  };
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
