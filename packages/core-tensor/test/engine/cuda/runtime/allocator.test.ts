import { describe, expect, test } from 'vitest';
import { CudaMemoryError } from '../../../../src/engine/cuda/libraries/cuda-error.js';
import { CachingAllocator, sizeClass } from '../../../../src/engine/cuda/runtime/allocator.js';

/** A card with so many bytes. */
function card(total: number) {
  const taken = new Map<number, number>();
  let next = 4096;
  const used = () => [...taken.values()].reduce((sum, bytes) => sum + bytes, 0);
  const state = { ticket: 0, done: 0 };
  return {
    state,
    taken,
    source: {
      allocate(bytes: number) {
        if (used() + bytes > total) return undefined;
        taken.set(next, bytes);
        next += bytes;
        return next - bytes;
      },
      free(address: number) {
        if (!taken.delete(address)) throw new Error(`freed twice: ${address}`);
      },
      memory: () => ({ free: total - used(), total }),
      ticket: () => state.ticket,
      isDone: (ticket: number) => ticket <= state.done,
    },
  };
}

const kibibyte = 1024;

describe('the allocator', () => {
  test('rounds up by at most an eighth, to multiples of 512 bytes', () => {
    expect([0, 1, 512, 513, 4096, 5000].map(sizeClass)).toEqual([512, 512, 512, 1024, 4096, 5120]);
    for (const bytes of [1e4, 123457, 1e6 + 1, 7e8 + 3]) {
      expect(sizeClass(bytes)).toBeGreaterThanOrEqual(bytes);
      expect(sizeClass(bytes)).toBeLessThanOrEqual(bytes * 1.125);
      expect(sizeClass(bytes) % 512).toBe(0);
    }
    expect(sizeClass(sizeClass(1e6 + 1))).toBe(sizeClass(1e6 + 1));
  });

  test('gives a block out again at once, the last one first', () => {
    const { source, taken } = card(1e6);
    const allocator = new CachingAllocator(source);
    const [first, second] = [allocator.take('x', 4096), allocator.take('x', 4096)];
    allocator.give(first);
    allocator.give(second);
    expect(allocator.take('x', 4000).address).toBe(second.address);
    expect(allocator.take('x', 4096).address).toBe(first.address);
    expect(taken.size).toBe(2);
    expect(allocator.statistics).toEqual({ alive: 8192, kept: 0, peak: 8192 });
  });

  test('prefers memory that the card has done with where it is asked to', () => {
    const { source, state } = card(1e6);
    const allocator = new CachingAllocator(source);
    const used = allocator.take('x', 4096);
    state.ticket = 7;
    allocator.give(used);
    const other = allocator.take('x', 4096, { isIdle: true });
    expect(other.address).not.toBe(used.address);
    state.done = 7;
    expect(allocator.take('x', 4096, { isIdle: true })).toEqual({ ...used, busyUntil: 7 });
  });

  test('takes busy memory rather than none', () => {
    const { source, state } = card(4096);
    const allocator = new CachingAllocator(source);
    const used = allocator.take('x', 4096);
    state.ticket = 7;
    allocator.give(used);
    expect(allocator.take('x', 4096, { isIdle: true })).toEqual({ ...used, busyUntil: 7 });
  });

  test('gives back what it keeps where the card has no more', () => {
    const { source, taken } = card(10 * kibibyte);
    const allocator = new CachingAllocator(source);
    const blocks = [1, 1, 1].map((size) => allocator.take('x', size * kibibyte));
    for (const block of blocks) allocator.give(block);
    expect(allocator.take('x', 10 * kibibyte).bytes).toBe(10 * kibibyte);
    expect([...taken.values()]).toEqual([10 * kibibyte]);
  });

  test('says what there was when there is not enough', () => {
    const { source } = card(10 * kibibyte);
    const allocator = new CachingAllocator(source);
    allocator.take('x', 8 * kibibyte);
    const error = (() => {
      try {
        allocator.take('upload', 4 * kibibyte);
      } catch (caught) {
        return caught;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(CudaMemoryError);
    expect(error).toMatchObject({
      requested: 4 * kibibyte,
      free: 2 * kibibyte,
      total: 10 * kibibyte,
      held: 8 * kibibyte,
    });
  });

  test('keeps to its limit, also with what it keeps', () => {
    const { source } = card(1e9);
    const allocator = new CachingAllocator(source, 8 * kibibyte);
    const block = allocator.take('x', 8 * kibibyte);
    expect(() => allocator.take('x', 512)).toThrow(/limit of/);
    allocator.give(block);
    expect(allocator.take('x', 512).bytes).toBe(512);
    expect(allocator.statistics.kept).toBe(0);
  });
});
