import type { Address } from '../libraries/native.js';
import type { Block, CachingAllocator } from './allocator.js';

/** Values that follow from frozen parameters alone, such as their 16-bit copies: all programs that need one share it. */
export interface SharedValues {
  /** The value of a key, which has to be computed where it is new; it stays until each holder has dropped it. */
  hold(key: string, bytes: number): { readonly address: Address; readonly isNew: boolean };
  drop(key: string): void;
  close(): void;
}

export function createSharedValues(allocator: CachingAllocator): SharedValues {
  const held = new Map<string, { readonly block: Block; holders: number }>();
  return {
    hold(key, bytes) {
      const known = held.get(key);
      if (known) {
        known.holders++;
        return { address: known.block.address, isNew: false };
      }
      const block = allocator.take('take memory for what programs share', bytes);
      held.set(key, { block, holders: 1 });
      return { address: block.address, isNew: true };
    },
    drop(key) {
      const known = held.get(key)!;
      known.holders--;
      if (known.holders > 0) return;
      held.delete(key);
      allocator.give(known.block);
    },
    close() {
      for (const { block } of held.values()) allocator.give(block);
      held.clear();
    },
  };
}
