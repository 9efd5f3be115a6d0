import { activations } from '../../ops/activations.js';
import { add } from '../../ops/arithmetic.js';
import { clamp } from '../../ops/compare.js';
import { einsum } from '../../ops/einsum.js';
import { embedding } from '../../ops/embedding.js';
import { gather, takeAlongAxis } from '../../ops/indexing.js';
import {
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  meanSquaredError,
  type Reduction,
} from '../../ops/losses.js';
import { concat } from '../../ops/rearrange.js';
import { max, standardDeviation, variance } from '../../ops/reduce.js';
import { cumsum } from '../../ops/scan.js';
import { logSoftmax, softmax } from '../../ops/softmax.js';
import { type Tensor, tensor } from '../../tensor.js';
import { multiheadAttention } from './attention-case.js';
import {
  FixtureError,
  type OperatorArguments,
  type OperatorRule,
  type OperatorTable,
  renamed,
  required,
} from './operator-case.js';

const activationOperators: OperatorTable = Object.fromEntries(
  Object.entries(activations).map(([name, activation]): [string, OperatorRule] => [
    name,
    ({ inputs }) => activation(required(inputs, 'x')),
  ]),
);

const reductionOf = (given: OperatorArguments) => renamed<{ reduction?: Reduction }>(given, { reduction: 'reduction' });

/** Activations, losses, lookups and the rest of `torch` that models use. */
export const miscOperators: OperatorTable = {
  ...activationOperators,
  'softmax of x + mask, axis -1': ({ arguments: given, inputs }) => {
    const x = required(inputs, 'x');
    return softmax(add(x, columnMask(String(given.mask), x.shape.at(-2)!, x.shape.at(-1)!)), -1);
  },
  log_softmax: ({ arguments: given, inputs }) => logSoftmax(required(inputs, 'x'), given.axis as number),
  cross_entropy: ({ arguments: given, inputs }) =>
    crossEntropy(
      required(inputs, 'x'),
      required(inputs, 'target'),
      renamed<CrossEntropyOptions>(given, {
        ignore_index: 'ignoreIndex',
        label_smoothing: 'labelSmoothing',
        reduction: 'reduction',
      }),
    ),
  binary_cross_entropy_with_logits: ({ arguments: given, inputs }) =>
    binaryCrossEntropyWithLogits(required(inputs, 'x'), required(inputs, 'target'), reductionOf(given)),
  mse_loss: ({ arguments: given, inputs }) =>
    meanSquaredError(required(inputs, 'x'), required(inputs, 'target'), reductionOf(given)),
  embedding: ({ arguments: given, inputs, parameters }) =>
    embedding(required(inputs, 'ids'), required(parameters, 'weight'), {
      paddingIndex: given.padding_idx as number | undefined,
    }),
  'nn.MultiheadAttention': multiheadAttention,
  einsum: ({ arguments: given, inputs }) =>
    einsum(
      String(given.equation),
      ...Object.keys(inputs)
        .sort()
        .map((name) => inputs[name]!),
    ),
  'var, var(unbiased=False) on axis -1, std on axis 0': ({ inputs }) => {
    const x = required(inputs, 'x');
    return {
      unbiased: variance(x, { axes: -1 }),
      biased: variance(x, { axes: -1, correction: 0 }),
      std: standardDeviation(x, { axes: 0 }),
    };
  },
  cumsum: ({ arguments: given, inputs }) => cumsum(required(inputs, 'x'), given.axis as number),
  gather: ({ arguments: given, inputs }) =>
    takeAlongAxis(required(inputs, 'x'), required(inputs, 'index'), given.axis as number),
  'rows 1 and 3 of x replaced by v': ({ inputs }) => replaceRows(required(inputs, 'x'), required(inputs, 'v'), [1, 3]),
  amax: ({ arguments: given, inputs }) =>
    max(required(inputs, 'x'), { axes: (given.axis as number | undefined) ?? -1 }),
  clamp: ({ arguments: given, inputs }) =>
    clamp(required(inputs, 'x'), renamed<Parameters<typeof clamp>[1]>(given, { min: 'low', max: 'high' })),
};

/** x with some of its rows exchanged for those of `replacements`, in order. */
function replaceRows(x: Tensor, replacements: Tensor, rows: readonly number[]): Tensor {
  const count = x.shape[0]!;
  const sources = Int32Array.from({ length: count }, (_, row) =>
    rows.includes(row) ? count + rows.indexOf(row) : row,
  );
  return gather(concat([x, replacements], 0), sources);
}

/** "row 0: columns 4.. are -inf; row 1: columns ..1 are -inf" as numbers to add, [rows, columns]; bounds are inclusive. */
function columnMask(text: string, rows: number, columns: number): Tensor {
  const mask = new Float32Array(rows * columns);
  const parts = [...text.matchAll(/row (\d+): columns (\d*)\.\.(\d*) are -inf/g)];
  if (parts.length === 0) {
    throw new FixtureError({
      operation: 'check masked softmax',
      expected: 'masked columns by row',
      received: JSON.stringify(text),
    });
  }
  for (const [, row, first, last] of parts) {
    const start = Number(row) * columns;
    mask.fill(
      Number.NEGATIVE_INFINITY,
      start + (first ? Number(first) : 0),
      start + (last ? Number(last) + 1 : columns),
    );
  }
  return tensor(mask, [rows, columns]);
}
