import type { Address } from '../libraries/native.js';
import type { Block, CachingAllocator } from './allocator.js';

/** Memory for values that live within one run. Programs run one after another, so that all share it. */
export interface Arena {
  /** Where it begins; it has at least as many bytes, and what was in it is lost. */
  reserve(bytes: number): Address;
  readonly bytes: number;
  close(): void;
}

export function createArena(allocator: CachingAllocator): Arena {
  let block: Block | undefined;
  return {
    reserve(bytes) {
      if (bytes === 0) return 0;
      if (block && block.bytes >= bytes) return block.address;
      if (block) allocator.give(block);
      block = undefined;
      block = allocator.take("take memory for a program's intermediate values", bytes);
      return block.address;
    },
    get bytes() {
      return block?.bytes ?? 0;
    },
    close() {
      if (block) allocator.give(block);
      block = undefined;
    },
  };
}
