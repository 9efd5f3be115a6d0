import { buildGraph } from './engine/build-graph.js';
import type { Engine, Program } from './engine/engine.js';
import { bindAll, materialize } from './engine/evaluate.js';
import { cachedProgram, forgetProgram } from './engine/program-cache.js';
import { currentEngine } from './engine/select.js';
import { GraphError } from './errors.js';
import { Parameter } from './nn/parameter.js';
import { structureVersion } from './structure.js';
import { Tensor } from './tensor.js';
import { flatten, type Structure, structureKey, unflatten } from './tree.js';

/** What a trace found: a program, what to feed it beside the arguments, and how to arrange its results. */
interface Trace {
  readonly engine: Engine;
  /** Of the modules it went through, see `structureChanged`. */
  readonly structureVersion: number;
  readonly program: Program;
  /** Parameters and other tensors the function used, bound after the arguments. */
  readonly captured: readonly Tensor[];
  /** Parameters with what the trace assumed of them. */
  readonly assumptions: readonly {
    readonly parameter: Parameter;
    readonly requiresGrad: boolean;
    readonly version: number;
  }[];
  readonly outputs: Structure;
  /** For each result that is an argument with a slice replaced, the argument's position. */
  readonly updates: readonly (number | undefined)[];
}

/** Options of {@link compile}. */
export interface CompileOptions {
  /**
   * Positions of arguments whose tensors are not needed after the call: a result that is one of them with a slice
   * replaced (`updateSlice`) takes its place in memory.
   */
  readonly donate?: readonly number[];
  /**
   * How a program holds frozen parameters. `constant`: as its own, arranged for fast products. `reference`: where they
   * are, which takes no time and memory; products with one row, or with hundreds, are as fast. An engine that uses
   * constants where they are always does so, as constants. Default: `constant`.
   */
  readonly frozen?: 'constant' | 'reference';
}

/**
 * Makes a function of tensors a compiled program: traced once per signature (shapes and dtypes of the tensors in its
 * arguments, and the values of everything else), run without tracing afterwards.
 *
 * Arguments and result may be nested arrays and plain objects. Parameters the function uses are bound by reference;
 * frozen ones become constants of the program. Numbers in the arguments are fixed per trace: pass what changes from
 * call to call (a learning rate, say) as a tensor. Functions and objects of classes in the arguments count by identity.
 *
 * @example
 * ```ts
 * const step = compile((batch: Batch) => valueAndGrad(() => model.loss(batch), model.trainableParameters()));
 * const { value, grads } = await step(batch);
 * ```
 */
export function compile<Arguments extends readonly unknown[], Result>(
  fn: (...args: Arguments) => Result,
  { donate = [], frozen = 'constant' }: CompileOptions = {},
): (...args: Arguments) => Promise<Result> {
  const traces = new Map<string, Promise<Trace>>();
  return async (...args) => {
    const engine = await currentEngine();
    const { leaves, structure } = flatten(args);
    await materialize(leaves.filter(({ source }) => source.kind === 'operation' || source.kind === 'segment'));
    const types = leaves.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`);
    const signature = `${structureKey(structure)} ${types.join(' ')}`;
    const trace = await validTrace(traces, signature, engine, () =>
      traceFunction(engine, fn, structure, leaves, engine.keepsConstants ? 'constant' : frozen),
    );
    const donated = new Set(flatten(donate.map((position) => args[position])).leaves);
    const bound = await bindAll(engine, [...leaves, ...trace.captured]);
    const into = trace.updates.map((position) => {
      const target = position === undefined ? undefined : bound[position]!;
      return target && !target.isTemporary && donated.has(leaves[position!]!) ? target.buffer : undefined;
    });
    const results = await engine.run(
      trace.program,
      bound.map(({ buffer }) => buffer),
      into,
    );
    for (const { buffer, isTemporary } of bound) if (isTemporary) engine.free(buffer);
    const outputs = results.map((buffer) => new Tensor(buffer.shape, buffer.dtype, { kind: 'device', buffer }));
    return unflatten(trace.outputs, outputs) as Result;
  };
}

/** The trace of a signature: the known one if it is still true, else a new one, which concurrent calls share. */
async function validTrace(
  traces: Map<string, Promise<Trace>>,
  signature: string,
  engine: Engine,
  traceAnew: () => Promise<Trace>,
): Promise<Trace> {
  for (;;) {
    const known = traces.get(signature);
    const trace = await known;
    if (trace?.engine === engine && holds(trace)) return trace;
    if (traces.get(signature) !== known) continue;
    if (trace && isStale(trace)) forgetProgram(trace.program);
    const fresh = traceAnew();
    traces.set(signature, fresh);
    fresh.catch(() => traces.delete(signature));
    return fresh;
  }
}

function holds({ assumptions, structureVersion: version }: Trace): boolean {
  if (version !== structureVersion()) return false;
  return assumptions.every(
    ({ parameter, requiresGrad, version }) =>
      parameter.requiresGrad === requiresGrad && (requiresGrad || parameter.version === version),
  );
}

/** Whether constants of the program have changed since, so that no signature can use it again. */
function isStale({ assumptions }: Trace): boolean {
  return assumptions.some(({ parameter, requiresGrad, version }) => !requiresGrad && parameter.version !== version);
}

async function traceFunction<Arguments extends readonly unknown[]>(
  engine: Engine,
  fn: (...args: Arguments) => unknown,
  structure: Structure,
  leaves: readonly Tensor[],
  frozen: NonNullable<CompileOptions['frozen']>,
): Promise<Trace> {
  const version = structureVersion();
  const placeholders = leaves.map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
  const outputs = flatten(await requireNoPromise(fn(...(unflatten(structure, placeholders) as unknown as Arguments))));
  if (outputs.leaves.length === 0) {
    throw new GraphError({
      operation: 'compile',
      expected: 'a function that returns tensors, alone or in arrays and plain objects',
      received: 'a result without any',
    });
  }
  const parameters = new Set<Parameter>();
  buildGraph(outputs.leaves, placeholders, (leaf) => {
    if (leaf instanceof Parameter) parameters.add(leaf);
    return { kind: 'input' };
  });
  // Frozen parameters are put on the engine first, where the program can take them as constants.
  const constants = [...parameters].filter((parameter) => isConstant(parameter, frozen));
  const resident = new Map<Tensor, Awaited<ReturnType<Parameter['bufferOn']>>>();
  for (const parameter of constants) resident.set(parameter, await parameter.bufferOn(engine));
  const assumptions = (frozen === 'constant' ? [...parameters] : constants).map((parameter) => ({
    parameter,
    requiresGrad: parameter.requiresGrad,
    version: parameter.version,
  }));
  const { graph, inputs } = buildGraph(outputs.leaves, placeholders, (leaf) => {
    const buffer = resident.get(leaf);
    if (buffer) return { kind: 'resident', buffer, version: (leaf as Parameter).version };
    return { kind: leaf.source.kind === 'host' ? 'constant' : 'input' };
  });
  return {
    engine,
    structureVersion: version,
    program: await cachedProgram(engine, graph),
    captured: inputs.slice(placeholders.length),
    assumptions,
    outputs: outputs.structure,
    updates: updatedArguments(outputs.leaves, placeholders),
  };
}

/** For each result that is an argument with a slice replaced, the argument's position; each argument once. */
function updatedArguments(results: readonly Tensor[], placeholders: readonly Tensor[]): (number | undefined)[] {
  const taken = new Set<number>();
  return results.map(({ source }) => {
    if (source.kind !== 'operation' || source.op !== 'updateSlice') return undefined;
    const position = placeholders.indexOf(source.inputs[0]!);
    if (position < 0 || taken.has(position)) return undefined;
    taken.add(position);
    return position;
  });
}

/** Quantized weights are always constants: their products are fast only where the program arranged them. */
function isConstant(
  { requiresGrad, alwaysConstant }: Parameter,
  frozen: NonNullable<CompileOptions['frozen']>,
): boolean {
  return !requiresGrad && (frozen === 'constant' || alwaysConstant);
}

/** A function that waits for something cannot be traced; what it waits for may say why. */
async function requireNoPromise(result: unknown): Promise<unknown> {
  if (!(result instanceof Promise)) return result;
  await result;
  throw new GraphError({
    operation: 'compile',
    expected: 'a function that returns its tensors at once',
    received: 'an async function',
    remedy:
      'Leave out async and await: operations record without waiting. Read data from what the compiled function returns.',
  });
}
