import { type AnyTypedArray, byteSize, type DType, viewAs } from '../../dtype.js';
import { ConfigError, type EngineError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import { type Shape, sizeOf } from '../../graph/shape.js';
import type { DeviceBuffer, Engine, Program } from '../engine.js';
import { forgetEngine } from '../select.js';
import { planProgram } from './compiler/plan-program.js';
import { isFatal } from './libraries/driver-errors.js';
import { findCudaLibraries, type LibrarySearch } from './libraries/find-libraries.js';
import { openCudaLibraries } from './libraries/open-libraries.js';
import type { CudaOptions } from './options.js';
import { Buffers, engineError, requireData, requireType, type ValueType } from './runtime/buffers.js';
import { type Device, openDevice } from './runtime/device.js';
import { noteDevice } from './runtime/memory-report.js';
import { type PreparedProgram, prepareProgram } from './runtime/prepared-program.js';
import { runProgram } from './runtime/run-program.js';

/** Runs that may be on their way to the card before a caller has to wait: more would only take memory. */
const mostAhead = 32;

/**
 * Starts the `cuda` engine: programs compiled to kernels of their own and NVIDIA's matrix products, on one card, where
 * parameters, gradients and results stay. NVIDIA's libraries are found on the machine and called through `koffi`.
 *
 * @param search where the libraries are, if not where they usually are.
 * @throws ConfigError for an option out of range; EngineError without `koffi`; CudaLibraryError for a library that is
 *   missing or does not fit; CudaError without a card.
 */
export async function startCudaEngine(
  options: CudaOptions = {},
  search: LibrarySearch = findCudaLibraries(),
): Promise<Engine> {
  requireOptions(options);
  const libraries = await openCudaLibraries(search);
  return new CudaEngine(openDevice(libraries, options), options);
}

interface StoredProgram {
  readonly prepared: PreparedProgram;
  /** Of the arguments by position; undefined for one that the program does not use. */
  readonly inputs: readonly (ValueType | undefined)[];
}

class CudaEngine implements Engine {
  readonly name = 'cuda';
  /** A program is started as one graph, whatever it is made of. */
  readonly joinsUpdates = true;
  readonly keepsConstants = true;
  private readonly buffers: Buffers;
  private readonly programs = new Map<number, StoredProgram>();
  private readonly pending = new Set<Promise<unknown>>();
  /** Tickets of the latest runs. */
  private readonly ahead: number[] = [];
  private lastId = 0;
  private failure: EngineError | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly device: Device,
    private readonly options: CudaOptions,
  ) {
    noteDevice(this, device);
    this.buffers = new Buffers(
      this,
      device,
      () => ++this.lastId,
      (work) => this.later(work),
    );
  }

  upload(data: AnyTypedArray, shape: Shape, dtype: DType): DeviceBuffer {
    this.requireOpen();
    const count = sizeOf(shape);
    requireData(data, { shape, dtype }, count);
    try {
      return this.buffers.upload(data, { shape, dtype }, count * byteSize(dtype));
    } catch (error) {
      throw this.noted(error);
    }
  }

  download(buffer: DeviceBuffer): Promise<AnyTypedArray> {
    return this.track(async () => {
      const stored = this.buffers.get('download', buffer);
      this.buffers.requireSound(stored);
      const bytes = await this.device.downloads.download(stored.block.address, stored.bytes);
      this.buffers.requireSound(stored);
      return viewAs(buffer.dtype, bytes.buffer, bytes.byteOffset, sizeOf(buffer.shape));
    });
  }

  compile(graph: Graph): Promise<Program> {
    return this.track(async () => {
      const { precision = 'float32', products = 'cublasLt', graphs = true } = this.options;
      const resident = (id: number) => this.buffers.resident(id).block.address;
      const plan = planProgram(graph, { precision, hasProducts: products === 'cublasLt' });
      const prepared = await prepareProgram({ ...this.device, graphs, resident }, plan);
      const id = ++this.lastId;
      this.programs.set(id, { prepared, inputs: inputTypes(graph) });
      const outputs = graph.outputs.map((output) => {
        const { shape, dtype } = graph.nodes[output]!;
        return { shape, dtype };
      });
      return { engine: this, id, outputs };
    });
  }

  run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    into: readonly (DeviceBuffer | undefined)[] = [],
  ): Promise<DeviceBuffer[]> {
    return this.track(async () => {
      const { prepared, inputs: types } = this.program(program);
      if (inputs.length !== types.length) throw engineError('run', `${types.length} inputs`, String(inputs.length));
      const sources = inputs.map((input, position) => {
        const type = types[position];
        if (type) requireType(type, `as input ${position}`, input);
        const stored = this.buffers.get('run', input);
        this.buffers.requireSound(stored);
        return stored;
      });
      const targets = program.outputs.map((type, index) => {
        const target = into[index];
        if (!target) return undefined;
        requireType(type, `as the buffer for output ${index}`, target);
        return this.buffers.get('run', target);
      });
      const fresh = this.buffers.using([...sources, ...targets], () =>
        runProgram(this.device, prepared, sources, targets, program.outputs),
      );
      const results = fresh.map((stored, index) =>
        stored ? this.buffers.add(stored, program.outputs[index]!) : into[index]!,
      );
      const { compute } = this.device;
      this.ahead.push(compute.mark());
      if (this.ahead.length > mostAhead) await compute.wait(this.ahead.shift()!);
      return results;
    });
  }

  free(buffer: DeviceBuffer): void {
    this.buffers.free(buffer);
  }

  release({ id }: Program): void {
    const program = this.programs.get(id);
    this.programs.delete(id);
    if (program) this.later(() => program.prepared.release());
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private program(program: Program): StoredProgram {
    const stored = program.engine === this ? this.programs.get(program.id) : undefined;
    if (stored) return stored;
    throw engineError(
      'run',
      'a program that this engine compiled and still holds',
      `program ${program.id} of ${program.engine.name}`,
    );
  }

  private async shutDown(): Promise<void> {
    forgetEngine(this);
    await Promise.allSettled(this.pending);
    // What was on a card that is lost cannot be given back.
    if (this.failure) return;
    for (const { prepared } of this.programs.values()) prepared.release();
    this.programs.clear();
    this.buffers.clear();
    await this.device.close();
  }

  /** Work that `close` waits for; it begins at once, so that calls take effect in their order. */
  private track<T>(work: () => Promise<T>): Promise<T> {
    const done = (async () => {
      this.requireOpen();
      try {
        return await work();
      } catch (error) {
        throw this.noted(error);
      }
    })();
    this.pending.add(done);
    const settle = () => this.pending.delete(done);
    done.then(settle, settle);
    return done;
  }

  /** Work that finalizers ask for too, to whom nothing may be thrown: the next call fails instead. */
  private later(work: () => void): void {
    if (this.failure || this.closing) return;
    try {
      work();
    } catch (error) {
      this.failure = error as EngineError;
      forgetEngine(this);
    }
  }

  private requireOpen(): void {
    if (this.failure) throw this.failure;
    if (this.closing) {
      throw engineError('use', 'a running engine', 'one that was closed', 'Start another with useEngine.');
    }
  }

  /** After a failure that leaves nothing of use on the card every call fails with it. */
  private noted(error: unknown): unknown {
    if (isFatal(error) && !this.failure) {
      this.failure = error as EngineError;
      forgetEngine(this);
    }
    return error;
  }
}

function inputTypes({ nodes, inputCount }: Graph): (ValueType | undefined)[] {
  const types: (ValueType | undefined)[] = Array.from({ length: inputCount }, () => undefined);
  for (const node of nodes) if (node.kind === 'input') types[node.position] = { shape: node.shape, dtype: node.dtype };
  return types;
}

function requireOptions({ device, memoryLimit, precision, products, kernelCache }: CudaOptions): void {
  const refuse = (expected: string, received: unknown) => {
    throw new ConfigError({ operation: 'cuda engine: start', expected, received: JSON.stringify(received) });
  };
  if (device !== undefined && !(Number.isInteger(device) && device >= 0)) {
    refuse('device to be an integer from 0 on', device);
  }
  if (memoryLimit !== undefined && !(memoryLimit > 0)) {
    refuse('memoryLimit to be a positive number of bytes', memoryLimit);
  }
  if (precision !== undefined && !['float32', 'tf32', 'bfloat16'].includes(precision)) {
    refuse('precision to be float32, tf32 or bfloat16', precision);
  }
  if (products !== undefined && !['cublasLt', 'own'].includes(products)) {
    refuse('products to be cublasLt or own', products);
  }
  if (kernelCache === '') refuse('kernelCache to be a folder or false', kernelCache);
}
