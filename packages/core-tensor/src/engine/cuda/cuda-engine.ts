import { type AnyTypedArray, allocate, byteSize, type DType } from '../../dtype.js';
import { ConfigError, EngineError, formatShape } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import { type Shape, sameShape, sizeOf } from '../../graph/shape.js';
import type { DeviceBuffer, Engine, Program } from '../engine.js';
import { MemoryPressure } from '../memory-pressure.js';
import { forgetEngine } from '../select.js';
import { planProgram } from './compiler/plan-program.js';
import { isFatal } from './libraries/driver.js';
import { findCudaLibraries, type LibrarySearch } from './libraries/find-libraries.js';
import type { Address } from './libraries/native.js';
import { openCudaLibraries } from './libraries/open-libraries.js';
import type { CudaOptions } from './options.js';
import type { Block } from './runtime/allocator.js';
import { type Device, openDevice, smallUpload } from './runtime/device.js';
import type { DoubtfulRun } from './runtime/failure-log.js';
import { type Copy, type PreparedProgram, prepareProgram } from './runtime/prepared-program.js';

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

/** What stands behind a buffer. */
interface Stored {
  readonly block: Block;
  readonly bytes: number;
  /** Ticket of an upload beside the computations that these have not been told to wait for. */
  uploaded: number;
  /** Runs that it comes from and that may yet turn out to have failed. */
  doubts: readonly DoubtfulRun[];
}

class CudaEngine implements Engine {
  readonly name = 'cuda';
  private readonly buffers = new Map<number, Stored>();
  private readonly programs = new Map<number, PreparedProgram>();
  /** Shapes and dtypes of programs' arguments. */
  private readonly inputTypes = new Map<number, readonly (InputType | undefined)[]>();
  private readonly pending = new Set<Promise<unknown>>();
  private readonly ahead: number[] = [];
  private readonly memory = new MemoryPressure((ids) => {
    for (const id of ids) this.drop(id);
  });
  private nextId = 1;
  private failure: EngineError | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly device: Device,
    private readonly options: CudaOptions,
  ) {}

  upload(data: AnyTypedArray, shape: Shape, dtype: DType): DeviceBuffer {
    const bytes = sizeOf(shape) * byteSize(dtype);
    if (data.length !== sizeOf(shape) || data.byteLength !== bytes) {
      throw this.error(
        'upload',
        `${sizeOf(shape)} values of ${dtype} for shape ${formatShape(shape)}`,
        `${data.length} values in ${data.byteLength} bytes`,
      );
    }
    this.requireOpen();
    try {
      const { compute, copies, allocator, staging, copyStaging } = this.device;
      const isSmall = bytes <= smallUpload;
      const block = allocator.take(`upload ${dtype} ${formatShape(shape)}`, bytes, { isIdle: !isSmall });
      const source = new Uint8Array(data.buffer, data.byteOffset, bytes);
      if (!isSmall) compute.holdBack(copies, block.busyUntil);
      (isSmall ? staging : copyStaging).upload(source, block.address);
      return this.store({ block, bytes, uploaded: isSmall ? 0 : copies.ticket(), doubts: [] }, shape, dtype);
    } catch (error) {
      throw this.noted(error);
    }
  }

  download(buffer: DeviceBuffer): Promise<AnyTypedArray> {
    return this.track(async () => {
      const stored = this.stored('download', buffer);
      this.requireSound(stored);
      this.awaitUpload(stored);
      const [bytes] = await this.device.downloads.download([{ from: stored.block.address, bytes: stored.bytes }]);
      this.requireSound(stored);
      const result = allocate(buffer.dtype, sizeOf(buffer.shape));
      new Uint8Array(result.buffer).set(bytes!);
      return result;
    });
  }

  compile(graph: Graph): Promise<Program> {
    return this.track(async () => {
      const { device } = this;
      const { precision = 'float32', graphs = true } = this.options;
      const plan = planProgram(graph, { precision });
      const prepared = await prepareProgram(
        {
          driver: device.driver,
          native: device.native,
          timeline: device.compute,
          allocator: device.allocator,
          staging: device.staging,
          compiler: device.compiler,
          products: device.products,
          arena: device.arena,
          failure: device.failure,
          graphs,
          resident: (id) => this.resident(id),
        },
        plan,
      );
      const outputs = graph.outputs.map((output) => ({
        shape: graph.nodes[output]!.shape,
        dtype: graph.nodes[output]!.dtype,
      }));
      const id = this.nextId++;
      this.programs.set(id, prepared);
      this.inputTypes.set(id, inputTypes(graph));
      return { engine: this, id, outputs };
    });
  }

  run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    into: readonly (DeviceBuffer | undefined)[] = [],
  ): Promise<DeviceBuffer[]> {
    return this.track(async () => {
      const results = this.submit(program, inputs, into);
      const { compute } = this.device;
      this.ahead.push(compute.ticket());
      if (this.ahead.length > mostAhead) await compute.wait(this.ahead.shift()!);
      return results;
    });
  }

  free(buffer: DeviceBuffer): void {
    this.memory.release(buffer);
  }

  release({ id }: Program): void {
    const program = this.programs.get(id);
    this.programs.delete(id);
    this.inputTypes.delete(id);
    if (program && !this.failure && !this.closing) this.later(() => program.release());
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private submit(
    program: Program,
    inputs: readonly DeviceBuffer[],
    into: readonly (DeviceBuffer | undefined)[],
  ): DeviceBuffer[] {
    const prepared = program.engine === this ? this.programs.get(program.id) : undefined;
    if (!prepared) {
      throw this.error(
        'run',
        'a program that this engine compiled and still holds',
        `program ${program.id} of ${program.engine.name}`,
      );
    }
    const sources = this.arguments(program, inputs);
    const targets = program.outputs.map((output, index) => this.target(output, into[index], index));
    const { allocator } = this.device;
    for (const each of [...sources, ...targets]) if (each) this.awaitUpload(each);
    const temporary: Block[] = [];
    const taken: Block[] = [];
    try {
      const addresses = sources.map(({ block }) => block.address);
      const copies: Copy[] = [];
      const readers = into.length > 0 ? positionsOf(addresses) : new Map<Address, number[]>();
      const fresh = program.outputs.map(({ shape, dtype }, index): Stored | undefined => {
        if (targets[index]) return undefined;
        const bytes = sizeOf(shape) * byteSize(dtype);
        const block = allocator.take(`run a program with a result of ${dtype} ${formatShape(shape)}`, bytes);
        taken.push(block);
        return { block, bytes, uploaded: 0, doubts: [] };
      });
      const outputs = program.outputs.map((_, index): Address => {
        const target = targets[index];
        if (!target) return fresh[index]!.block.address;
        const isShared = readers.get(target.block.address)?.some((input) => !prepared.aliases.mayShare(input, index));
        if (!isShared) return target.block.address;
        // The argument is still needed when its successor is being computed.
        const aside = allocator.take('run a program that writes over an argument', target.bytes);
        temporary.push(aside);
        copies.push({ from: aside.address, to: target.block.address, bytes: target.bytes });
        return aside.address;
      });
      prepared.results.forEach(({ isOwn, bytes }, index) => {
        if (isOwn) return;
        copies.unshift({ from: prepared.addressOf(index, addresses, outputs), to: outputs[index]!, bytes });
      });
      prepared.submit(addresses, outputs, copies);
      const doubts = inheritedDoubts(sources);
      if (prepared.mayFail) doubts.push(this.device.failures.record());
      return program.outputs.map(({ shape, dtype }, index) => {
        const stored = fresh[index];
        if (!stored) return into[index]!;
        stored.doubts = doubts;
        return this.store(stored, shape, dtype);
      });
    } catch (error) {
      for (const block of taken) allocator.give(block);
      throw error;
    } finally {
      for (const block of temporary) allocator.give(block);
    }
  }

  private arguments(program: Program, inputs: readonly DeviceBuffer[]): Stored[] {
    const types = this.inputTypes.get(program.id)!;
    if (inputs.length !== types.length) throw this.error('run', `${types.length} inputs`, String(inputs.length));
    return inputs.map((input, position) => {
      const type = types[position];
      if (type && (!sameShape(input.shape, type.shape) || input.dtype !== type.dtype)) {
        throw this.error('run', `${describe(type)} as input ${position}`, describe(input));
      }
      const stored = this.stored('run', input);
      this.requireSound(stored);
      return stored;
    });
  }

  private target(
    output: Program['outputs'][number],
    target: DeviceBuffer | undefined,
    index: number,
  ): Stored | undefined {
    if (!target) return undefined;
    const stored = this.stored('run', target);
    if (sameShape(target.shape, output.shape) && target.dtype === output.dtype) return stored;
    throw this.error('run', `a buffer of ${describe(output)} for output ${index}`, describe(target));
  }

  private store(stored: Stored, shape: Shape, dtype: DType): DeviceBuffer {
    const buffer: DeviceBuffer = { engine: this, id: this.nextId++, shape, dtype };
    this.buffers.set(buffer.id, stored);
    this.memory.track(buffer, stored.block.bytes);
    return buffer;
  }

  private stored(operation: string, buffer: DeviceBuffer): Stored {
    const stored = buffer.engine === this ? this.buffers.get(buffer.id) : undefined;
    if (stored) return stored;
    throw this.error(
      operation,
      'a buffer that this engine holds',
      `buffer ${buffer.id} of ${buffer.engine.name}, which it does not hold`,
    );
  }

  private resident(id: number): Address {
    const stored = this.buffers.get(id);
    if (!stored) {
      throw this.error('compile', 'the buffers of frozen parameters to outlive the program', `freed buffer ${id}`);
    }
    this.awaitUpload(stored);
    return stored.block.address;
  }

  /** Throws the failure that a value is due to, as far as it is known. */
  private requireSound(stored: Stored): void {
    for (const doubt of stored.doubts) {
      this.device.failures.settle(doubt);
      if (doubt.error) throw doubt.error;
    }
    if (stored.doubts.length > 0) stored.doubts = stored.doubts.filter(({ isSettled }) => !isSettled);
  }

  /** Orders what is computed from now on behind the upload of a buffer. */
  private awaitUpload(stored: Stored): void {
    if (stored.uploaded === 0) return;
    const { copies, compute } = this.device;
    copies.holdBack(compute, stored.uploaded);
    stored.uploaded = 0;
  }

  private drop(id: number): void {
    const stored = this.buffers.get(id);
    this.buffers.delete(id);
    if (!stored || this.failure || this.closing) return;
    this.later(() => {
      this.awaitUpload(stored);
      this.device.allocator.give(stored.block);
    });
  }

  private async shutDown(): Promise<void> {
    forgetEngine(this);
    await Promise.allSettled(this.pending);
    if (this.failure) return;
    const { allocator } = this.device;
    for (const program of this.programs.values()) program.release();
    for (const { block } of this.buffers.values()) allocator.give(block);
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
    try {
      work();
    } catch (error) {
      this.failure ??= error as EngineError;
      forgetEngine(this);
    }
  }

  private requireOpen(): void {
    if (this.failure) throw this.failure;
    if (this.closing) {
      throw this.error('use', 'a running engine', 'one that was closed', 'Start another with useEngine.');
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

  private error(operation: string, expected: string, received: string, remedy?: string): EngineError {
    return new EngineError({ operation: `cuda engine: ${operation}`, expected, received, remedy });
  }
}

/** Runs that arguments come from and of which nothing is known yet. */
function inheritedDoubts(sources: readonly Stored[]): DoubtfulRun[] {
  const found = new Set<DoubtfulRun>();
  for (const { doubts } of sources) for (const doubt of doubts) if (!doubt.isSettled) found.add(doubt);
  return [...found];
}

/** At which places of a list each of its entries is. */
function positionsOf(addresses: readonly Address[]): Map<Address, number[]> {
  const positions = new Map<Address, number[]>();
  addresses.forEach((address, position) => {
    const known = positions.get(address);
    if (known) known.push(position);
    else positions.set(address, [position]);
  });
  return positions;
}

type InputType = { readonly shape: Shape; readonly dtype: DType };

/** Shapes and dtypes of a graph's arguments by position; undefined for one that it does not use. */
function inputTypes({ nodes, inputCount }: Graph): (InputType | undefined)[] {
  const types: (InputType | undefined)[] = Array.from({ length: inputCount }, () => undefined);
  for (const node of nodes) if (node.kind === 'input') types[node.position] = { shape: node.shape, dtype: node.dtype };
  return types;
}

function describe({ shape, dtype }: InputType): string {
  return `${dtype} ${formatShape(shape)}`;
}

function requireOptions({ device, memoryLimit, precision, kernelCache }: CudaOptions): void {
  const refuse = (expected: string, received: unknown) => {
    throw new ConfigError({ operation: 'cuda engine: start', expected, received: JSON.stringify(received) });
  };
  if (device !== undefined && !(Number.isInteger(device) && device >= 0)) {
    refuse('device to be an integer from 0 on', device);
  }
  if (memoryLimit !== undefined && !(memoryLimit > 0))
    refuse('memoryLimit to be a positive number of bytes', memoryLimit);
  if (precision !== undefined && !['float32', 'tf32', 'bfloat16'].includes(precision)) {
    refuse('precision to be float32, tf32 or bfloat16', precision);
  }
  if (kernelCache === '') refuse('kernelCache to be a folder or false', kernelCache);
}
