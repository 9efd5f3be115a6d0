import { CudaMemoryError } from '../libraries/cuda-error.js';
import type { Address } from '../libraries/native.js';

/** What an allocator takes its memory from. */
export interface MemorySource {
  /** Undefined where there is not enough. */
  allocate(bytes: number): Address | undefined;
  free(address: Address): void;
  memory(): { readonly free: number; readonly total: number };
  /** Ticket of all work so far; what is given back now may be in use until it is done. */
  ticket(): number;
  isDone(ticket: number): boolean;
}

/** Memory that was given out. */
export interface Block {
  readonly address: Address;
  /** Bytes that it has, which may be more than were asked for. */
  readonly bytes: number;
  /** Work up to this ticket may still use it, where it is used on another stream. */
  readonly busyUntil: number;
}

/** Sizes of blocks are multiples of this many bytes at least, and so are their addresses. */
const granularity = 512;

/**
 * Memory of the card, kept for later when it is given back, because asking the driver waits for the card. Work on one
 * stream takes effect in order, so a block is given out again at once, whatever the card has still to do with it.
 */
export class CachingAllocator {
  /** Blocks that are free by size, those given back last at the end. */
  private readonly kept = new Map<number, Block[]>();
  private aliveBytes = 0;
  private keptBytes = 0;
  private peak = 0;

  /** Called before memory is refused: may give back what nobody needs. */
  reclaim: () => void = () => undefined;

  /** @param limit bytes taken at most. */
  constructor(
    private readonly source: MemorySource,
    private readonly limit: number = Number.POSITIVE_INFINITY,
  ) {}

  /** Bytes that are given out, that are kept for later, and that were given out at once at most. */
  get statistics(): { readonly alive: number; readonly kept: number; readonly peak: number } {
    return { alive: this.aliveBytes, kept: this.keptBytes, peak: this.peak };
  }

  /**
   * @param isIdle prefer memory that the card has done with, for use on another stream.
   * @throws CudaMemoryError if the card, or the limit, does not have as much.
   */
  take(operation: string, bytes: number, { isIdle = false } = {}): Block {
    const size = sizeClass(bytes);
    const block = this.found(size, isIdle) ?? this.afterReclaim(size);
    if (!block) throw this.exhausted(operation, size);
    this.aliveBytes += size;
    this.peak = Math.max(this.peak, this.aliveBytes);
    return block;
  }

  /** Takes a block back. */
  give({ address, bytes }: Block): void {
    const blocks = this.kept.get(bytes) ?? [];
    this.kept.set(bytes, blocks);
    blocks.push({ address, bytes, busyUntil: this.source.ticket() });
    this.aliveBytes -= bytes;
    this.keptBytes += bytes;
  }

  /** Gives all that is kept back to the driver, which waits for the card. */
  trim(): void {
    for (const blocks of this.kept.values()) for (const { address } of blocks) this.source.free(address);
    this.kept.clear();
    this.keptBytes = 0;
  }

  private found(size: number, isIdle: boolean): Block | undefined {
    return this.reuse(size, isIdle) ?? this.fresh(size) ?? this.reuse(size, false) ?? this.afterTrim(size);
  }

  private afterReclaim(size: number): Block | undefined {
    this.reclaim();
    return this.found(size, false);
  }

  private reuse(size: number, isIdle: boolean): Block | undefined {
    const blocks = this.kept.get(size);
    if (!blocks || blocks.length === 0) return undefined;
    // The one given back first is the likeliest to be idle, the one given back last the likeliest to be in a cache.
    if (isIdle && !this.source.isDone(blocks[0]!.busyUntil)) return undefined;
    this.keptBytes -= size;
    return isIdle ? blocks.shift() : blocks.pop();
  }

  private fresh(size: number): Block | undefined {
    if (this.aliveBytes + this.keptBytes + size > this.limit) return undefined;
    const address = this.source.allocate(size);
    return address === undefined ? undefined : { address, bytes: size, busyUntil: 0 };
  }

  private afterTrim(size: number): Block | undefined {
    if (this.keptBytes === 0) return undefined;
    this.trim();
    return this.fresh(size);
  }

  private exhausted(operation: string, requested: number): CudaMemoryError {
    const { free, total } = this.source.memory();
    const isLimited = this.aliveBytes + this.keptBytes + requested > this.limit;
    return new CudaMemoryError({
      operation: `cuda engine: ${operation}`,
      requested,
      free,
      total,
      held: this.aliveBytes + this.keptBytes,
      limit: isLimited ? this.limit : undefined,
    });
  }
}

/** Eight sizes to each doubling: at most an eighth is wasted, and sizes that differ a little share blocks. */
export function sizeClass(bytes: number): number {
  const step = Math.max(granularity, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 3));
  return Math.max(1, Math.ceil(bytes / step)) * step;
}
