import type { Conv2dAttributes, ConvTranspose2dAttributes } from '../../../src/primitives/attributes.js';
import type { Case } from '../../support/case.js';
import { uniform } from '../../support/host-tensor.js';
import { applies, type CaseTable } from './case.js';

const products: readonly (readonly [
  a: readonly number[],
  b: readonly number[],
  transposeA?: boolean,
  transposeB?: boolean,
])[] = [
  [
    [2, 3],
    [3, 4],
  ],
  [[3, 2], [3, 4], true],
  [[2, 3], [4, 3], false, true],
  [[3, 2], [4, 3], true, true],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [2, 3, 4],
    [2, 4, 2],
  ],
  [
    [2, 3, 4],
    [4, 2],
  ],
  [[2, 4, 3], [2, 4], true, true],
  [
    [3, 4],
    [2, 4, 2],
  ],
  [
    [2, 1, 3, 2],
    [3, 2, 2],
  ],
  [[2, 1, 2, 3], [1, 3, 4, 3], false, true],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [0, 2],
    [2, 3],
  ],
];

const plain: Conv2dAttributes = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

function convolves(x: readonly number[], weight: readonly number[], changes: Partial<Conv2dAttributes> = {}): Case {
  return applies('conv2d', describe(x, weight, changes), [uniform(x), uniform(weight)], { ...plain, ...changes });
}

function transposes(
  x: readonly number[],
  weight: readonly number[],
  changes: Partial<ConvTranspose2dAttributes> = {},
): Case {
  return applies('convTranspose2d', describe(x, weight, changes), [uniform(x), uniform(weight)], {
    ...plain,
    outputPadding: [0, 0],
    ...changes,
  });
}

function describe(x: readonly number[], weight: readonly number[], changes: object): string {
  const options = Object.entries(changes).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [`[${x.join(', ')}] with [${weight.join(', ')}]`, ...options].join(', ');
}

export const productCases = {
  matmul: products.map(([a, b, transposeA = false, transposeB = false]) =>
    applies(
      'matmul',
      `of [${a.join(', ')}]${transposeA ? 'ᵀ' : ''} and [${b.join(', ')}]${transposeB ? 'ᵀ' : ''}`,
      [uniform(a), uniform(b)],
      { transposeA, transposeB },
    ),
  ),
  conv2d: [
    convolves([2, 3, 4, 5], [4, 3, 1, 1]),
    convolves([2, 2, 5, 4], [3, 2, 3, 2]),
    convolves([1, 2, 5, 6], [2, 2, 3, 3], { padding: [1, 0, 2, 1] }),
    convolves([1, 2, 7, 6], [2, 2, 3, 2], { stride: [2, 3], padding: [1, 1, 1, 1] }),
    convolves([1, 2, 8, 7], [2, 2, 2, 3], { dilation: [3, 2] }),
    convolves([1, 1, 9, 9], [2, 1, 3, 3], { stride: [2, 2], dilation: [2, 3], padding: [2, 1, 2, 1] }),
    convolves([2, 4, 4, 4], [6, 2, 3, 3], { groups: 2, padding: [1, 1, 1, 1] }),
    convolves([2, 4, 5, 4], [4, 1, 3, 3], { groups: 4, padding: [1, 1, 1, 1] }),
    convolves([1, 3, 6, 6], [3, 1, 3, 3], { groups: 3, stride: [2, 2], padding: [1, 1, 1, 1] }),
    convolves([1, 3, 6, 6], [6, 1, 3, 3], { groups: 3, padding: [1, 1, 1, 1] }),
    convolves([1, 2, 4, 4], [2, 1, 3, 3], { groups: 2, padding: [3, 3, 3, 3] }),
    convolves([1, 2, 4, 4], [2, 1, 3, 2], { groups: 2, padding: [0, 1, 2, 0] }),
    convolves([2, 2, 4, 5], [2, 1, 2, 2], { groups: 2, padding: [1, 2, 0, 3], dilation: [2, 1] }),
    convolves([1, 4, 6, 5], [4, 2, 3, 2], { groups: 2, padding: [2, 0, 1, 1], stride: [2, 1], dilation: [1, 2] }),
    convolves([1, 3, 8, 8], [2, 3, 2, 2], { stride: [3, 3] }),
    convolves([0, 2, 3, 3], [2, 2, 2, 2]),
  ],
  convTranspose2d: [
    transposes([2, 3, 3, 2], [3, 2, 1, 1]),
    transposes([1, 2, 3, 4], [2, 3, 3, 2]),
    transposes([1, 2, 3, 3], [2, 2, 2, 2], { stride: [2, 2] }),
    transposes([1, 2, 3, 2], [2, 2, 3, 3], { stride: [2, 3], padding: [1, 0, 1, 1], outputPadding: [1, 0] }),
    transposes([1, 1, 3, 3], [1, 2, 3, 2], { dilation: [2, 3] }),
    transposes([1, 4, 3, 2], [4, 3, 2, 2], { groups: 2, stride: [2, 1] }),
    transposes([2, 3, 2, 2], [3, 1, 2, 2], { groups: 3, stride: [2, 2] }),
  ],
} satisfies Partial<CaseTable>;
