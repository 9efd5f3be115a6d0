import { describe, expect, test } from 'vitest';
import type { MatmulStep, MatrixOperand, PlannedValue } from '../../../../src/engine/cuda/compiler/program-plan.js';
import { computeTypes, dataTypes, type MatrixLayout } from '../../../../src/engine/cuda/libraries/cublas-lt.js';
import { productPlan } from '../../../../src/engine/cuda/runtime/product-kind.js';

const [m, n, k, batch] = [2, 3, 4, 2];

const value = (count: number, dtype: PlannedValue['dtype'] = 'float32'): PlannedValue => ({
  shape: [count],
  dtype,
  place: { kind: 'arena', offset: 0 },
});

const operand = (index: number, rest: Partial<MatrixOperand>): MatrixOperand => ({
  value: index,
  offset: 0,
  transpose: false,
  rowStride: 0,
  batchStride: 0,
  ...rest,
});

/** All ways to store the operands, with rows that are longer than the matrix. */
const steps = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB) =>
    [false, true].map(
      (transposeOut): MatmulStep => ({
        kind: 'matmul',
        a: operand(0, { transpose: transposeA, rowStride: 6, batchStride: 30, offset: 1 }),
        b: operand(1, { transpose: transposeB, rowStride: 7, batchStride: 0, offset: 2 }),
        out: operand(2, { transpose: transposeOut, rowStride: 5, batchStride: 20 }),
        m,
        n,
        k,
        batch,
        alpha: 1,
      }),
    ),
  ),
);

/** Where row-major matrices keep an element. */
const place = (
  { offset, transpose, rowStride, batchStride }: MatrixOperand,
  pair: number,
  row: number,
  column: number,
) => offset + pair * batchStride + (transpose ? column * rowStride + row : row * rowStride + column);

/** What cuBLASLt computes, by its documentation. */
function byColumns(data: readonly number[][], step: MatmulStep): number[] {
  const { kind, first } = productPlan(
    step,
    [value(1), value(1), value(1)],
    { bias: false, activation: false, residual: false },
    { tf32: false },
  );
  const [left, right] = first === 'a' ? [step.a, step.b] : [step.b, step.a];
  const element = (
    { leading, batchStride, rows, columns }: MatrixLayout,
    pair: number,
    row: number,
    column: number,
  ) => {
    expect(row).toBeLessThan(rows);
    expect(column).toBeLessThan(columns);
    return pair * batchStride + column * leading + row;
  };
  const out = Array.from({ length: 40 }, () => 0);
  for (let pair = 0; pair < kind.d.batch; pair++)
    for (let row = 0; row < kind.d.rows; row++)
      for (let column = 0; column < kind.d.columns; column++) {
        let sum = 0;
        for (let i = 0; i < k; i++) {
          const a = kind.transposeA ? element(kind.a, pair, i, row) : element(kind.a, pair, row, i);
          const b = kind.transposeB ? element(kind.b, pair, column, i) : element(kind.b, pair, i, column);
          sum += data[left.value]![left.offset + a]! * data[right.value]![right.offset + b]!;
        }
        out[step.out.offset + element(kind.d, pair, row, column)] = sum;
      }
  return out;
}

describe('a product of matrices stored by rows, in terms of columns', () => {
  test.each(steps.map((step) => [step.a.transpose, step.b.transpose, step.out.transpose, step] as const))(
    'is the same: a transposed %s, b transposed %s, result transposed %s',
    (_a, _b, _out, step) => {
      const data = [0, 1].map((seed) => Array.from({ length: 64 }, (_, i) => ((i * 7 + seed * 3) % 11) - 5));
      const expected = Array.from({ length: 40 }, () => 0);
      for (let pair = 0; pair < batch; pair++)
        for (let row = 0; row < m; row++)
          for (let column = 0; column < n; column++)
            for (let i = 0; i < k; i++)
              expected[place(step.out, pair, row, column)]! +=
                data[0]![place(step.a, pair, row, i)]! * data[1]![place(step.b, pair, i, column)]!;
      expect(byColumns(data, step)).toEqual(expected);
    },
  );

  test('names types, epilogue and what addresses are multiples of', () => {
    const step: MatmulStep = { ...steps[0]!, bias: 3, activation: 'gelu-tanh' };
    const half = { ...step, a: { ...step.a, offset: 12, batchStride: 64 } };
    const values = [value(1, 'bfloat16'), value(1, 'bfloat16'), value(1), value(1)];
    const all = { bias: true, activation: true, residual: false };
    const { kind } = productPlan(half, values, all, { tf32: true });
    expect(kind).toMatchObject({ computeType: computeTypes.float32, epilogue: 36, biasType: dataTypes.float32 });
    expect(kind.b).toMatchObject({ type: dataTypes.bfloat16, alignment: 8 });
    expect(kind.a.alignment).toBe(4);
    expect(kind.d.type).toBe(dataTypes.float32);
    const float = [value(1), value(1), value(1), value(1)];
    expect(productPlan(step, float, all, { tf32: true }).kind.computeType).toBe(computeTypes.tf32);
    expect(productPlan(step, float, { ...all, activation: false }, { tf32: false }).kind.epilogue).toBe(4);
    const none = { bias: false, activation: false, residual: true };
    expect(productPlan(step, float, none, { tf32: false }).kind).toMatchObject({ epilogue: 1, biasType: undefined });
  });
});
