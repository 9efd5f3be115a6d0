import type { DType } from '../../../src/dtype.js';
import type { PrimitiveName } from '../../../src/primitives/attributes.js';
import type { Case } from '../../support/case.js';
import { distinct, given, type InputSpec, offSteps, uniform } from '../../support/host-tensor.js';
import { applies, type CaseTable } from './case.js';

type WithoutAttributes = Exclude<PrimitiveName, 'cast' | 'barrier' | 'stopGradient'>;

const positive = (shape: readonly number[]): InputSpec => uniform(shape, { low: 0.3, high: 3 });

function unary(
  op: WithoutAttributes,
  input: (shape: readonly number[]) => InputSpec,
  more: readonly Case[] = [],
): readonly Case[] {
  return [[], [5], [2, 3, 4], [1, 1], [0, 3]]
    .map((shape) => applies(op, `of [${shape.join(', ')}]`, [input(shape)], {} as never))
    .concat(more);
}

function unaryInteger(op: WithoutAttributes, dtypes: readonly DType[]): readonly Case[] {
  return dtypes.flatMap((dtype) => [
    applies(op, `of ${dtype}`, [uniform([2, 5], { low: -9, high: 9, dtype })], {} as never),
    applies(op, `of large ${dtype}`, [given([4], [2147483647, -2147483647, 16777217, -16777217], dtype)], {} as never),
  ]);
}

function special(op: WithoutAttributes, values: readonly number[]): Case {
  return applies(op, 'of special values', [given([values.length], values)], {} as never, { withRespectTo: [] });
}

const broadcasts: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[], [2, 2]],
  [
    [4, 1],
    [1, 3],
  ],
  [
    [2, 1, 3, 1, 2],
    [3, 1, 4, 1],
  ],
  [
    [1, 2, 1],
    [3, 1, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
];

function binary(
  op: WithoutAttributes,
  a: (shape: readonly number[]) => InputSpec,
  b = a,
  more: readonly Case[] = [],
): readonly Case[] {
  return broadcasts
    .map(([left, right]) =>
      applies(op, `of [${left.join(', ')}] and [${right.join(', ')}]`, [a(left), b(right)], {} as never),
    )
    .concat(more);
}

const integers = (
  op: WithoutAttributes,
  a: readonly number[],
  b: readonly number[],
  dtypes: readonly DType[] = ['int32', 'int64'],
): readonly Case[] =>
  dtypes.map((dtype) =>
    applies(op, `of ${dtype}`, [given([a.length], a, dtype), given([b.length], b, dtype)], {} as never),
  );

const halves = (op: WithoutAttributes): readonly Case[] =>
  (['float16', 'bfloat16'] as const).map((dtype) =>
    applies(op, `of ${dtype}`, [uniform([2, 3], { dtype }), uniform([3], { low: 0.5, dtype })], {} as never, {
      // ONNX Runtime's cpu kernels compute with float16, but only convert bfloat16.
      refusedBy: dtype === 'bfloat16' ? ['ort'] : [],
    }),
  );

const bools = (shape: readonly number[]): InputSpec => uniform(shape, { low: 0, high: 2, dtype: 'bool' });

const conversions: readonly Case[] = [
  ...(['int32', 'int64', 'uint8', 'bool', 'float32'] as const).flatMap((from) =>
    (['int32', 'int64', 'uint8', 'bool', 'float32'] as const)
      .filter((to) => to !== from)
      .map((to) =>
        applies(
          'cast',
          `of ${from} to ${to}`,
          [uniform([3, 4], { low: 0, high: 5, dtype: from })],
          { dtype: to },
          { withRespectTo: [] },
        ),
      ),
  ),
  ...(['int32', 'int64'] as const).map((dtype) =>
    applies(
      'cast',
      `drops the fraction to ${dtype}`,
      [given([6], [-2.7, -0.5, 0, 0.5, 1.9, 1e6])],
      { dtype },
      { withRespectTo: [] },
    ),
  ),
  ...(['float16', 'bfloat16'] as const).map((dtype) =>
    applies('cast', `rounds to ${dtype}`, [uniform([50])], { dtype }, { relative: 0 }),
  ),
  ...(['float16', 'bfloat16'] as const).map((dtype) =>
    applies('cast', `of ${dtype} to float32`, [uniform([9], { dtype })], { dtype: 'float32' }, { relative: 0 }),
  ),
];

/** Differentiable in a alone where the exponent is whole and the base negative. */
const powers: readonly Case[] = [
  applies('pow', 'of negative bases', [given([4], [-2, -1.5, 3, -0.5]), given([], [3])], {}, { withRespectTo: [0] }),
  applies('pow', 'of zero', [given([3], [0, 0, 0]), given([3], [0, 1, 2])], {}, { withRespectTo: [] }),
  ...integers('pow', [2, -3, 7, 0, 5], [10, 3, 2, 4, 0]),
];

export const elementwiseCases = {
  neg: unary('neg', uniform, unaryInteger('neg', ['int32', 'int64'])),
  abs: unary('abs', offSteps, unaryInteger('abs', ['int32', 'int64'])),
  sign: unary('sign', offSteps, unaryInteger('sign', ['int32', 'int64'])),
  exp: unary('exp', uniform, [special('exp', [0, -Infinity, Infinity, -200])]),
  log: unary('log', positive, [special('log', [0, 1, Infinity])]),
  sqrt: unary('sqrt', positive, [special('sqrt', [0, 4, Infinity])]),
  reciprocal: unary('reciprocal', offSteps),
  sin: unary('sin', uniform, [
    applies('sin', 'of large angles', [uniform([20], { low: -400, high: 400 })], {}, { withRespectTo: [] }),
  ]),
  cos: unary('cos', uniform, [
    applies('cos', 'of large angles', [uniform([20], { low: -400, high: 400 })], {}, { withRespectTo: [] }),
  ]),
  tanh: unary('tanh', uniform, [special('tanh', [-50, 0, 50])]),
  erf: unary('erf', uniform, [applies('erf', 'over its range', [uniform([64], { low: -5, high: 5 })], {})]),
  sigmoid: unary('sigmoid', uniform, [special('sigmoid', [-100, 0, 100])]),
  relu: unary('relu', offSteps),
  floor: unary('floor', offSteps, [special('floor', [-1.5, -1, 0, 1, 1.5])]),
  ceil: unary('ceil', offSteps, [special('ceil', [-1.5, -1, 0, 1, 1.5])]),
  round: unary('round', offSteps, [special('round', [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999998])]),
  logicalNot: unary('logicalNot', bools),
  cast: conversions,
  add: binary('add', uniform, uniform, [...integers('add', [1, -7, 2e9], [3, 4, 1e8]), ...halves('add')]),
  sub: binary('sub', uniform, uniform, [...integers('sub', [1, -7, 0], [3, 4, 5]), ...halves('sub')]),
  mul: binary('mul', uniform, uniform, [...integers('mul', [1, -7, 46341], [3, 4, -46340]), ...halves('mul')]),
  div: binary('div', uniform, offSteps, [
    ...integers('div', [7, -7, 7, -7, 0, 2147483647], [2, 2, -2, -2, 5, 3]),
    ...halves('div'),
  ]),
  pow: binary('pow', positive, uniform, powers),
  maximum: binary('maximum', distinct, distinct, integers('maximum', [1, -7, 3, 16777217], [3, -9, 3, 16777216])),
  minimum: binary('minimum', distinct, distinct, integers('minimum', [1, -7, 3, 16777217], [3, -9, 3, 16777216])),
  equal: comparisons('equal'),
  less: comparisons('less'),
  lessEqual: comparisons('lessEqual'),
  logicalAnd: binary('logicalAnd', bools),
  logicalOr: binary('logicalOr', bools),
  where: [
    ...[
      [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      [[3], [2, 3], []],
      [[2, 1, 1], [1, 3, 1], [4]],
      [[], [2], [3, 1]],
      [[0, 2], [2], [1, 2]],
    ].map(([condition, a, b]) =>
      applies(
        'where',
        `of [${condition!.join(', ')}], [${a!.join(', ')}] and [${b!.join(', ')}]`,
        [bools(condition!), uniform(a!), uniform(b!)],
        {},
      ),
    ),
    ...(['int32', 'int64', 'uint8', 'bool'] as const).map((dtype) => {
      const values = uniform([2, 4], { low: 0, high: dtype === 'bool' ? 2 : 50, dtype });
      return applies('where', `chooses ${dtype}`, [bools([4]), values, values], {});
    }),
  ],
} satisfies Partial<CaseTable>;

function comparisons(op: 'equal' | 'less' | 'lessEqual'): readonly Case[] {
  const coarse = (dtype: DType) => (shape: readonly number[]) => uniform(shape, { low: -2, high: 3, dtype });
  return [
    ...binary(op, coarse('int32')),
    applies(
      op,
      'of float32',
      [given([5], [1, 2, 3, -Infinity, 0]), given([5], [1, 3, 2, 0, -0])],
      {},
      { withRespectTo: [] },
    ),
    ...(['int32', 'int64'] as const).map((dtype) =>
      applies(
        op,
        `of large ${dtype}`,
        [given([2], [16777217, 2147483647], dtype), given([2], [16777216, 2147483646], dtype)],
        {},
      ),
    ),
    ...(op === 'equal'
      ? [
          applies(op, 'of bool', [bools([6]), bools([6])], {}),
          applies(op, 'of int64', [coarse('int64')([6]), coarse('int64')([6])], {}),
        ]
      : [applies(op, 'of int64', [coarse('int64')([6]), coarse('int64')([6])], {})]),
  ];
}
