import { type AnyTypedArray, byteSize, type DType } from '../dtype.js';
import { EngineError } from '../errors.js';
import type { Graph, OperationNode } from '../graph/graph.js';
import { type Shape, sameShape, sizeOf } from '../graph/shape.js';
import type { DeviceBuffer, Engine, Program } from './engine.js';
import { MemoryPressure } from './memory-pressure.js';
import { forgetEngine } from './select.js';

/** What {@link createLocalEngine} needs to know about the values it handles; none of them is ever changed in place. */
export interface LocalBackend<Value> {
  readonly name: string;
  fromHost(data: AnyTypedArray, shape: Shape, dtype: DType): Value;
  /** A copy of the values. */
  toHost(value: Value, dtype: DType): AnyTypedArray;
  /** The result of a primitive. Inputs stay as they are. */
  apply(node: OperationNode, inputs: readonly Value[]): Value;
  /** Another reference to a value, disposed of on its own. */
  share(value: Value): Value;
  dispose(value: Value): void;
}

interface LocalProgram<Value> {
  readonly graph: Graph;
  readonly constants: ReadonlyMap<number, Value>;
  /** Operations that some output needs, in order. */
  readonly steps: readonly number[];
  /** `lastUses[i]`: results that nothing after node i reads. */
  readonly lastUses: readonly (readonly number[])[];
}

/**
 * An engine that interprets graphs in the calling thread, node by node. Every call has taken effect when it returns,
 * also where the result is a promise.
 */
export function createLocalEngine<Value>(backend: LocalBackend<Value>): Engine {
  return new LocalEngine(backend);
}

class LocalEngine<Value> implements Engine {
  readonly name: string;
  private readonly values = new Map<number, Value>();
  private readonly programs = new Map<number, LocalProgram<Value>>();
  private readonly memory: MemoryPressure;
  private nextId = 1;
  private isClosed = false;

  constructor(private readonly backend: LocalBackend<Value>) {
    this.name = backend.name;
    this.memory = new MemoryPressure((ids) => {
      for (const id of ids) this.drop(id);
    });
  }

  upload(data: AnyTypedArray, shape: Shape, dtype: DType): DeviceBuffer {
    this.requireOpen('upload');
    if (data.length !== sizeOf(shape)) {
      throw this.error('upload', `${sizeOf(shape)} values for shape [${shape.join(', ')}]`, `${data.length} values`);
    }
    return this.store(this.backend.fromHost(data, shape, dtype), shape, dtype);
  }

  async download(buffer: DeviceBuffer): Promise<AnyTypedArray> {
    this.requireOpen('download');
    return this.backend.toHost(this.valueOf('download', buffer), buffer.dtype);
  }

  async compile(graph: Graph): Promise<Program> {
    this.requireOpen('compile');
    const constants = new Map<number, Value>();
    graph.nodes.forEach((node, index) => {
      if (node.kind === 'constant') constants.set(index, this.backend.fromHost(node.data, node.shape, node.dtype));
    });
    const { steps, lastUses } = schedule(graph);
    const id = this.nextId++;
    this.programs.set(id, { graph, constants, steps, lastUses });
    const outputs = graph.outputs.map((output) => ({
      shape: graph.nodes[output]!.shape,
      dtype: graph.nodes[output]!.dtype,
    }));
    return { engine: this, id, outputs };
  }

  async run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    into: readonly (DeviceBuffer | undefined)[] = [],
  ): Promise<DeviceBuffer[]> {
    this.requireOpen('run');
    const local = this.programs.get(program.id);
    if (program.engine !== this || !local) {
      throw this.error(
        'run',
        'a program that this engine compiled and still holds',
        `program ${program.id} of ${program.engine.name}`,
      );
    }
    program.outputs.forEach(({ shape, dtype }, index) => {
      const target = into[index];
      if (!target) return;
      this.valueOf('run', target);
      if (!sameShape(target.shape, shape) || target.dtype !== dtype) {
        throw this.error('run', `a buffer of ${describe({ shape, dtype })} for output ${index}`, describe(target));
      }
    });
    const results = this.interpret(local, this.bind(local.graph, inputs));
    return results.map((value, index) => {
      const { shape, dtype } = program.outputs[index]!;
      const target = into[index];
      if (!target) return this.store(value, shape, dtype);
      this.backend.dispose(this.values.get(target.id)!);
      this.values.set(target.id, value);
      return target;
    });
  }

  free(buffer: DeviceBuffer): void {
    this.memory.release(buffer);
  }

  release({ id }: Program): void {
    for (const value of this.programs.get(id)?.constants.values() ?? []) this.backend.dispose(value);
    this.programs.delete(id);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    for (const id of [...this.values.keys()]) this.drop(id);
    for (const [id, { constants }] of this.programs) {
      for (const value of constants.values()) this.backend.dispose(value);
      this.programs.delete(id);
    }
    this.isClosed = true;
    forgetEngine(this);
  }

  /** Values of the arguments by position. */
  private bind(graph: Graph, inputs: readonly DeviceBuffer[]): Value[] {
    if (inputs.length !== graph.inputCount) throw this.error('run', `${graph.inputCount} inputs`, `${inputs.length}`);
    for (const node of graph.nodes) {
      if (node.kind !== 'input') continue;
      const input = inputs[node.position]!;
      if (!sameShape(input.shape, node.shape) || input.dtype !== node.dtype) {
        throw this.error('run', `${describe(node)} as input ${node.position}`, describe(input));
      }
    }
    return inputs.map((input) => this.valueOf('run', input));
  }

  /** Values of the outputs, each with a reference of its own. */
  private interpret({ graph, constants, steps, lastUses }: LocalProgram<Value>, inputs: readonly Value[]): Value[] {
    const computed = new Map<number, Value>();
    const known = (index: number): Value => {
      const node = graph.nodes[index]!;
      if (node.kind === 'operation') return computed.get(index)!;
      if (node.kind === 'constant') return constants.get(index)!;
      return node.kind === 'input' ? inputs[node.position]! : this.resident(node.buffer);
    };
    try {
      for (const index of steps) {
        const node = graph.nodes[index] as OperationNode;
        computed.set(index, this.backend.apply(node, node.inputs.map(known)));
        for (const done of lastUses[index]!) {
          this.backend.dispose(computed.get(done)!);
          computed.delete(done);
        }
      }
      return graph.outputs.map((output) => this.backend.share(known(output)));
    } finally {
      for (const value of computed.values()) this.backend.dispose(value);
    }
  }

  private store(value: Value, shape: Shape, dtype: DType): DeviceBuffer {
    const buffer: DeviceBuffer = { engine: this, id: this.nextId++, shape, dtype };
    this.values.set(buffer.id, value);
    this.memory.track(buffer, sizeOf(shape) * byteSize(dtype));
    return buffer;
  }

  private drop(id: number): void {
    const value = this.values.get(id);
    if (value === undefined) return;
    this.values.delete(id);
    this.backend.dispose(value);
  }

  private valueOf(operation: string, buffer: DeviceBuffer): Value {
    const value = buffer.engine === this ? this.values.get(buffer.id) : undefined;
    if (value === undefined) {
      throw this.error(
        operation,
        'a buffer that this engine holds',
        `buffer ${buffer.id} of ${buffer.engine.name}, which it does not hold`,
      );
    }
    return value;
  }

  private resident(id: number): Value {
    const value = this.values.get(id);
    if (value === undefined)
      throw this.error('run', 'the buffers of frozen parameters to outlive the program', `freed buffer ${id}`);
    return value;
  }

  private requireOpen(operation: string): void {
    if (this.isClosed)
      throw this.error(operation, 'a running engine', 'one that was closed', 'Start another with useEngine.');
  }

  private error(operation: string, expected: string, received: string, remedy?: string): EngineError {
    return new EngineError({ operation: `${this.name} engine: ${operation}`, expected, received, remedy });
  }
}

/** What to compute in which order, and what can be given up after each step. */
function schedule({ nodes, outputs }: Graph): Pick<LocalProgram<unknown>, 'steps' | 'lastUses'> {
  const steps: number[] = [];
  const lastUses: number[][] = nodes.map(() => []);
  const needed = new Set(outputs);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    if (node.kind !== 'operation' || !needed.has(index)) continue;
    steps.unshift(index);
    // Seen from the end, a first use is a last one.
    for (const input of new Set(node.inputs)) {
      if (!needed.has(input) && nodes[input]!.kind === 'operation') lastUses[index]!.push(input);
      needed.add(input);
    }
  }
  return { steps, lastUses };
}

function describe({ shape, dtype }: { readonly shape: Shape; readonly dtype: DType }): string {
  return `${dtype} [${shape.join(', ')}]`;
}
