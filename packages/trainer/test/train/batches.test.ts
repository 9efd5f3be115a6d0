import { describe, expect, test } from 'vitest';
import { BatchError, mapBatches, type ResumableBatches, repeatBatches } from '../../src/index.js';
import { readBatches } from '../../src/train/batches.js';

/** Numbers from `state` on, and how many have been made. */
function numbers(state = 0, last = 100): ResumableBatches<number> & { readonly made: () => number } {
  let handedOut = state;
  return {
    state: () => ({ handedOut }),
    made: () => handedOut,
    async *[Symbol.asyncIterator]() {
      while (handedOut < last) yield { inputs: ++handedOut };
    },
  };
}

describe('readBatches', () => {
  test('tells where the stream was after the batches it gives, though it reads ahead', async () => {
    const source = numbers();
    const reader = readBatches(source, 6);
    expect(await reader.take(2)).toEqual({ batches: [{ inputs: 1 }, { inputs: 2 }], cursor: { handedOut: 2 } });
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.made()).toBe(3);
    expect(await reader.take(2)).toEqual({ batches: [{ inputs: 3 }, { inputs: 4 }], cursor: { handedOut: 4 } });
  });

  test('asks for no more than it was told', async () => {
    const source = numbers();
    const reader = readBatches(source, 2);
    await reader.take(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.made()).toBe(2);
  });

  test('fails when the batches end', async () => {
    const reader = readBatches(numbers(0, 3), 4);
    await reader.take(2);
    await expect(reader.take(2)).rejects.toThrow(BatchError);
  });

  test('closes the source, also while it waits for it', async () => {
    let closed = 0;
    const stuck: ResumableBatches<number> = {
      state: () => null,
      close: () => {
        closed++;
      },
      async *[Symbol.asyncIterator]() {
        yield { inputs: 1 };
        await new Promise(() => undefined);
      },
    };
    const reader = readBatches(stuck, 2);
    await reader.take(1);
    await reader.close();
    expect(closed).toBe(1);
  });
});

describe('repeatBatches', () => {
  test('goes on from its state', async () => {
    const list = [{ inputs: 'a' }, { inputs: 'b' }, { inputs: 'c' }];
    const reader = readBatches(repeatBatches(list, 2), 4);
    const { batches, cursor } = await reader.take(4);
    expect(batches.map(({ inputs }) => inputs)).toEqual(['c', 'a', 'b', 'c']);
    expect(cursor).toBe(6);
  });

  test('refuses no batches and a foreign state', () => {
    expect(() => repeatBatches([])).toThrow(BatchError);
    expect(() => repeatBatches([{ inputs: 1 }], { epoch: 1 })).toThrow(BatchError);
  });
});

describe('mapBatches', () => {
  test('keeps state and close of what it maps', async () => {
    let closed = false;
    const source = {
      ...numbers(),
      close: () => {
        closed = true;
      },
    };
    const reader = readBatches(
      mapBatches(source, ({ inputs }) => ({ inputs: inputs * 10, samples: 1 })),
      2,
    );
    expect(await reader.take(1)).toEqual({ batches: [{ inputs: 10, samples: 1 }], cursor: { handedOut: 1 } });
    await reader.close();
    expect(closed).toBe(true);
  });
});
