import { type DType, isArrayOf } from '../../../dtype.js';
import { EngineError, formatShape } from '../../../errors.js';
import { type Shape, sameShape } from '../../../graph/shape.js';
import type { DeviceBuffer, Engine } from '../../engine.js';
import { collectGarbage, MemoryPressure } from '../../memory-pressure.js';
import type { Block } from './allocator.js';
import type { Device } from './device.js';
import type { DoubtfulRun } from './failure-log.js';

/** Uploads up to this many bytes go in line with the computations; larger ones beside them. */
const smallUpload = 64 * 1024;

/** What stands behind a buffer. */
export interface Stored {
  readonly block: Block;
  readonly bytes: number;
  /** Ticket of an upload beside the computations that these have not been told to wait for; 0 for none. */
  uploaded: number;
  /** Runs that it comes from and that may yet turn out to have failed. */
  doubts: readonly DoubtfulRun[];
}

/** Shape and dtype of a value. */
export interface ValueType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** The values that an engine holds on its card. */
export class Buffers {
  private readonly stored = new Map<number, Stored>();
  private readonly references = new Map<number, WeakRef<DeviceBuffer>>();
  /** What is being computed with, whoever refers to it. */
  private inUse: readonly (Stored | undefined)[] = [];
  private readonly memory = new MemoryPressure((ids) => {
    for (const id of ids) this.drop(id);
  });

  /**
   * @param nextId gives ids.
   * @param later carries out what finalizers ask for too, to whom nothing may be thrown.
   */
  constructor(
    private readonly engine: Engine,
    private readonly device: Device,
    private readonly nextId: () => number,
    private readonly later: (work: () => void) => void,
  ) {
    device.allocator.reclaim = () => this.reclaim();
  }

  /** Copies values to the card, beside what it is computing. */
  upload(data: ArrayBufferView, { shape, dtype }: ValueType, bytes: number): DeviceBuffer {
    const { compute, copies, allocator, staging, copyStaging } = this.device;
    const isSmall = bytes <= smallUpload;
    const block = allocator.take(`upload ${describe({ shape, dtype })}`, bytes, { isIdle: !isSmall });
    const source = new Uint8Array(data.buffer, data.byteOffset, bytes);
    if (!isSmall) compute.holdBack(copies, block.busyUntil);
    (isSmall ? staging : copyStaging).upload(source, block.address);
    return this.add({ block, bytes, uploaded: isSmall ? 0 : copies.mark(), doubts: [] }, { shape, dtype });
  }

  add(stored: Stored, { shape, dtype }: ValueType): DeviceBuffer {
    const buffer: DeviceBuffer = { engine: this.engine, id: this.nextId(), shape, dtype };
    this.stored.set(buffer.id, stored);
    this.references.set(buffer.id, new WeakRef(buffer));
    this.memory.track(buffer, stored.block.bytes);
    return buffer;
  }

  /** What stands behind a buffer, ready to be computed with. */
  get(operation: string, buffer: DeviceBuffer): Stored {
    const stored = buffer.engine === this.engine ? this.stored.get(buffer.id) : undefined;
    if (!stored) {
      throw engineError(
        operation,
        'a buffer that this engine holds',
        `buffer ${buffer.id} of ${buffer.engine.name}, which it does not hold`,
      );
    }
    this.awaitUpload(stored);
    return stored;
  }

  /** A buffer that a program takes as a constant. */
  resident(id: number): Stored {
    const stored = this.stored.get(id);
    if (!stored) {
      throw engineError('compile', 'the buffers of frozen parameters to outlive the program', `freed buffer ${id}`);
    }
    this.awaitUpload(stored);
    return stored;
  }

  /** Throws the failure that a value is due to, as far as it is known. */
  requireSound(stored: Stored): void {
    for (const doubt of stored.doubts) {
      this.device.failures.settle(doubt);
      if (doubt.error) throw doubt.error;
    }
    if (stored.doubts.length > 0) stored.doubts = stored.doubts.filter(({ isSettled }) => !isSettled);
  }

  /** Does something for which values have to stay, although nobody may refer to them any more. */
  using<T>(stored: readonly (Stored | undefined)[], work: () => T): T {
    this.inUse = stored;
    try {
      return work();
    } finally {
      this.inUse = [];
    }
  }

  free(buffer: DeviceBuffer): void {
    this.memory.release(buffer);
  }

  /** Gives all up. */
  clear(): void {
    for (const { block } of this.stored.values()) this.device.allocator.give(block);
    this.stored.clear();
    this.references.clear();
  }

  private drop(id: number): void {
    const stored = this.stored.get(id);
    if (!stored) return;
    this.stored.delete(id);
    this.references.delete(id);
    this.later(() => {
      this.awaitUpload(stored);
      this.device.allocator.give(stored.block);
    });
  }

  /** Takes back what nothing refers to any more, without waiting for finalizers. */
  private reclaim(): void {
    collectGarbage();
    const kept = new Set(this.inUse);
    for (const [id, reference] of [...this.references]) {
      if (!reference.deref() && !kept.has(this.stored.get(id))) this.drop(id);
    }
  }

  /** Orders what is computed from now on behind the upload of a buffer. */
  private awaitUpload(stored: Stored): void {
    if (stored.uploaded === 0) return;
    this.device.copies.holdBack(this.device.compute, stored.uploaded);
    stored.uploaded = 0;
  }
}

/** Checks that values are as many, and of the array type, as shape and dtype say. */
export function requireData(data: { readonly length: number }, type: ValueType, count: number): void {
  if (data.length === count && isArrayOf(type.dtype, data)) return;
  throw engineError(
    'upload',
    `${count} values of ${describe(type)}`,
    `${data.length} values in a ${data.constructor.name}`,
  );
}

/** Checks a value against what a program takes or gives. */
export function requireType(expected: ValueType, role: string, received: ValueType): void {
  if (sameShape(received.shape, expected.shape) && received.dtype === expected.dtype) return;
  throw engineError('run', `${describe(expected)} ${role}`, describe(received));
}

export function describe({ shape, dtype }: ValueType): string {
  return `${dtype} ${formatShape(shape)}`;
}

export function engineError(operation: string, expected: string, received: string, remedy?: string): EngineError {
  return new EngineError({ operation: `cuda engine: ${operation}`, expected, received, remedy });
}
