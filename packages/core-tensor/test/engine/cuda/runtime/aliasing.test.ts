import { describe, expect, test } from 'vitest';
import type {
  KernelStep,
  Place,
  PlannedValue,
  ProgramPlan,
  Step,
} from '../../../../src/engine/cuda/compiler/program-plan.js';
import { aliasTable } from '../../../../src/engine/cuda/runtime/aliasing.js';

const value = (place: Place): PlannedValue => ({ shape: [4], dtype: 'float32', place });
const inputs = [0, 1].map((position) => value({ kind: 'input', position }));
const outputs = [0, 1].map((index) => value({ kind: 'output', index }));
/** Values 0 and 1 are arguments, 2 and 3 results. */
const plan = (steps: readonly Step[], results: readonly number[] = [2, 3]): ProgramPlan => ({
  values: [...inputs, ...outputs],
  preparation: [],
  steps,
  outputs: results,
  arenaBytes: 0,
});
const kernel = (reads: readonly number[], writes: readonly number[]): KernelStep => ({
  kind: 'kernel',
  kernel: { name: 'x', source: '' },
  grid: [1, 1, 1],
  block: [1, 1, 1],
  sharedBytes: 0,
  arguments: [...reads, ...writes, 'failure'],
  writes,
});

describe('a result may take the memory of an argument', () => {
  test('that one kernel reads while it writes the result, and that nobody reads later', () => {
    const { mayShare } = aliasTable(plan([kernel([0, 1], [2, 3])]));
    expect([mayShare(0, 0), mayShare(0, 1), mayShare(1, 0)]).toEqual([true, true, true]);
  });

  test('unless it is read after the result was begun', () => {
    const { mayShare } = aliasTable(plan([kernel([0], [2]), kernel([0, 1], [3])]));
    expect(mayShare(0, 0)).toBe(false);
    expect(mayShare(0, 1)).toBe(true);
    expect(mayShare(1, 0)).toBe(false);
  });

  test('unless a product reads it, which goes over it more than once', () => {
    const operand = (index: number) => ({ value: index, offset: 0, transpose: false, rowStride: 2, batchStride: 0 });
    const product: Step = {
      kind: 'matmul',
      a: operand(0),
      b: operand(1),
      out: operand(2),
      m: 2,
      n: 2,
      k: 2,
      batch: 1,
      alpha: 1,
    };
    const { mayShare } = aliasTable(plan([product, kernel([2], [3])]));
    expect([mayShare(0, 0), mayShare(1, 0), mayShare(0, 1)]).toEqual([false, false, true]);
  });

  test('unless the argument is a result itself, which is copied at the end', () => {
    const { mayShare } = aliasTable(plan([kernel([0], [2])], [2, 1]));
    expect(mayShare(0, 0)).toBe(true);
    expect(mayShare(1, 0)).toBe(false);
  });

  test('where it is copied there, as the argument that a slice of is replaced', () => {
    const { mayShare } = aliasTable(plan([{ kind: 'copy', from: 0, to: 2, unlessSame: true }, kernel([1], [2])]));
    expect(mayShare(0, 0)).toBe(true);
    expect(mayShare(1, 0)).toBe(false);
  });
});
