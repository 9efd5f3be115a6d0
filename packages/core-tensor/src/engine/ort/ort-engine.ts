import { type AnyTypedArray, allocate, byteSize, type DType } from '../../dtype.js';
import { ConfigError, EngineError, formatShape } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import { type Shape, sameShape, sizeOf } from '../../graph/shape.js';
import type { DeviceBuffer, Engine, Program } from '../engine.js';
import { MemoryPressure } from '../memory-pressure.js';
import { forgetEngine } from '../select.js';
import { startWorker } from '../start-worker.js';
import { NativeGate } from './native-gate.js';
import type { OrtOptions } from './options.js';
import type { Envelope, Reply, Request, WorkerSetup } from './protocol.js';

/**
 * Starts the `ort` engine: ONNX Runtime in a worker thread of its own, because its calls block the thread they are
 * made on. Weights, gradients and optimizer state stay on the worker's side.
 *
 * @throws ConfigError for an option out of range; EngineError if the worker, the runtime or an execution provider does
 *   not start.
 */
export async function startOrtEngine(options: OrtOptions = {}): Promise<Engine> {
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new ConfigError({
      operation: 'ort engine: start',
      expected: 'threads to be a positive integer',
      received: String(threads),
    });
  }
  const engine = new OrtEngine();
  try {
    await engine.start(options);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

interface Pending {
  readonly operation: string;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

class OrtEngine implements Engine {
  readonly name = 'ort';
  private readonly gate = new NativeGate();
  private readonly worker = startWorker('./ort', 'ort-worker', { gate: this.gate.memory } satisfies WorkerSetup);
  private readonly exited = new Promise<void>((resolve) => this.worker.once('exit', () => resolve()));
  private readonly pending = new Map<number, Pending>();
  private readonly memory = new MemoryPressure((ids) => this.post({ kind: 'free', ids }));
  private nextTicket = 1;
  private nextId = 1;
  private failure: EngineError | undefined;

  constructor() {
    this.worker.unref();
    this.worker.on('message', (reply: Reply) => this.settle(reply));
    this.worker.on('error', (error) => this.fail(error.message, error));
    this.worker.on('exit', (code) => this.fail(`it exited with code ${code}`));
    this.gate.closeAtExit(this.exited);
  }

  async start(options: OrtOptions): Promise<void> {
    await this.ask('start', { kind: 'start', options });
  }

  upload(data: AnyTypedArray, shape: Shape, dtype: DType, { own = false } = {}): DeviceBuffer {
    const buffer = this.newBuffer(shape, dtype);
    // What is handed over is gone here: hence a copy, unless the caller gave the array and all behind it up.
    const moved = own && data.byteLength === data.buffer.byteLength ? data : data.slice();
    this.post({ kind: 'upload', id: buffer.id, data: moved, shape, dtype }, [moved.buffer as ArrayBuffer]);
    return buffer;
  }

  async download(buffer: DeviceBuffer): Promise<AnyTypedArray> {
    const reply = await this.ask('download', { kind: 'download', id: buffer.id });
    return reply.data ?? allocate(buffer.dtype, 0);
  }

  async compile(graph: Graph): Promise<Program> {
    const id = this.nextId++;
    const outputs = graph.outputs.map((output) => ({
      shape: graph.nodes[output]!.shape,
      dtype: graph.nodes[output]!.dtype,
    }));
    await this.ask('compile', { kind: 'compile', id, graph: withoutSurroundings(graph) });
    return { engine: this, id, outputs };
  }

  async run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    into: readonly (DeviceBuffer | undefined)[] = [],
  ): Promise<DeviceBuffer[]> {
    program.outputs.forEach((output, index) => {
      requireTarget(output, into[index], index);
    });
    const outputs = program.outputs.map(({ shape, dtype }, index) => into[index] ?? this.newBuffer(shape, dtype));
    await this.ask('run', {
      kind: 'run',
      program: program.id,
      inputs: inputs.map(({ id }) => id),
      outputs: outputs.map(({ id }) => id),
      overwrites: outputs.map((_, index) => into[index] !== undefined),
    });
    return outputs;
  }

  free(buffer: DeviceBuffer): void {
    this.memory.release(buffer);
  }

  release(program: Program): void {
    this.post({ kind: 'release', id: program.id });
  }

  async close(): Promise<void> {
    this.fail('it was closed');
    // Not `terminate`: it would abort the process where the worker is inside the runtime.
    this.worker.ref();
    this.worker.postMessage({ ticket: 0, request: { kind: 'close' } } satisfies Envelope);
    await this.exited;
  }

  private newBuffer(shape: Shape, dtype: DType): DeviceBuffer {
    const buffer: DeviceBuffer = { engine: this, id: this.nextId++, shape, dtype };
    this.memory.track(buffer, sizeOf(shape) * byteSize(dtype));
    return buffer;
  }

  private post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    if (this.failure) return;
    this.worker.postMessage({ ticket: 0, request } satisfies Envelope, transfer);
  }

  private ask(operation: string, request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      const ticket = this.nextTicket++;
      // First, as it throws for what cannot be sent: nothing is waited for then.
      this.worker.postMessage({ ticket, request } satisfies Envelope);
      this.pending.set(ticket, { operation, resolve, reject });
      this.worker.ref();
    });
  }

  private settle(reply: Reply): void {
    const pending = this.pending.get(reply.ticket);
    if (!pending) {
      if (reply.error)
        this.fail('expected' in reply.error ? new EngineError(reply.error).message : reply.error.message);
      return;
    }
    this.pending.delete(reply.ticket);
    if (this.pending.size === 0) this.worker.unref();
    if (reply.error) {
      pending.reject(
        new EngineError(
          'expected' in reply.error
            ? reply.error
            : {
                operation: `ort engine: ${pending.operation}`,
                expected: 'onnxruntime to succeed',
                received: reply.error.message,
              },
        ),
      );
    } else pending.resolve(reply);
  }

  /** Nothing that was asked will be answered any more. */
  private fail(reason: string, cause?: unknown): void {
    if (this.failure) return;
    this.failure = new EngineError({
      operation: 'ort engine',
      expected: 'its worker thread to run',
      received: reason,
      remedy: 'The next use starts another engine; restore parameters from the last checkpoint.',
      cause,
    });
    forgetEngine(this);
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
    this.worker.unref();
  }
}

/** The graph with constants that are views into something larger as arrays of their own: a view is sent as a whole. */
function withoutSurroundings(graph: Graph): Graph {
  const isPart = (data: AnyTypedArray) => data.byteLength < data.buffer.byteLength;
  const nodes = graph.nodes.map((node) =>
    node.kind === 'constant' && isPart(node.data) ? { ...node, data: node.data.slice() } : node,
  );
  return { ...graph, nodes };
}

function requireTarget(
  { shape, dtype }: Program['outputs'][number],
  target: DeviceBuffer | undefined,
  index: number,
): void {
  if (!target || (sameShape(target.shape, shape) && target.dtype === dtype)) return;
  throw new EngineError({
    operation: 'ort engine: run',
    expected: `a buffer of ${dtype} ${formatShape(shape)} for output ${index}`,
    received: `${target.dtype} ${formatShape(target.shape)}`,
  });
}
