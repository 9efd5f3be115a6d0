import { argument, floats, ints } from '../../../../../../test/support/onnx-model.js';
import { tensor } from '../../../../src/index.js';
import { args, compareOperators } from './cases.js';

const x = argument([2, 5], 1, 3);
const positive = tensor(Float32Array.of(0.1, 0.5, 1, 2, 7), [5]);
const whole = tensor(BigInt64Array.of(-7n, -3n, 0n, 4n, 9n), [5], 'int64');
const truths = [tensor(Uint8Array.of(0, 0, 1, 1), [4], 'bool'), tensor(Uint8Array.of(0, 1, 0, 1), [4], 'bool')];
const divisors = ints([2, 2, 3, 3, -4]);

const unary = (...types: readonly string[]) => Object.fromEntries(types.map((type) => [type, [{ inputs: [x] }]]));
const binary = (...types: readonly string[]) =>
  Object.fromEntries(types.map((type) => [type, [{ what: 'broadcasting', inputs: args([2, 3, 1], [3, 4]) }]]));
const comparison = (...types: readonly string[]) =>
  Object.fromEntries(
    types.map((type) => [
      type,
      [
        { inputs: args([3, 1], [1, 4]), outputs: ['bool'] },
        { what: 'of integers', inputs: [whole, ints([-7, 0, 0, 9, 9])], outputs: ['bool'] },
      ],
    ]),
  );
const logic = (...types: readonly string[]) =>
  Object.fromEntries(types.map((type) => [type, [{ inputs: truths, outputs: ['bool'] }]]));

compareOperators({
  ...unary('Abs', 'Neg', 'Sign', 'Exp', 'Sin', 'Cos', 'Tanh', 'Erf', 'Sigmoid', 'Floor', 'Ceil', 'Round', 'Relu'),
  ...unary('Reciprocal', 'Selu', 'Softplus', 'Softsign', 'HardSwish', 'Identity'),
  Log: [{ inputs: [positive] }],
  Sqrt: [{ inputs: [positive] }],
  ...binary('Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum', 'Mean'),
  ...comparison('Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'),
  ...logic('And', 'Or', 'Xor'),
  Not: [{ inputs: [truths[0]], outputs: ['bool'] }],
  IsNaN: [{ inputs: [tensor(Float32Array.of(1, Number.NaN, Number.NEGATIVE_INFINITY))], outputs: ['bool'] }],
  IsInf: [
    { inputs: [tensor(Float32Array.of(1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))], outputs: ['bool'] },
    {
      what: 'of one sign',
      attributes: { detect_positive: 0 },
      inputs: [tensor(Float32Array.of(1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))],
      outputs: ['bool'],
    },
  ],
  Mod: [
    { what: 'with the sign of the divisor', inputs: [whole, divisors], outputs: ['int64'] },
    { what: 'as in C', attributes: { fmod: 1 }, inputs: [whole, divisors], outputs: ['int64'] },
    { what: 'of floats', attributes: { fmod: 1 }, inputs: [x, floats([], [0.7])], relative: 1e-4 },
  ],
  Pow: [
    { what: 'squared', inputs: [x, floats([], [2])] },
    { what: 'rooted', inputs: [positive, floats([], [0.5])] },
    { what: 'to a tensor', inputs: [positive, argument([5], 4)] },
    { what: 'to an integer', inputs: [x, ints(3)] },
  ],
  Where: [{ inputs: [truths[1], ...args([2, 4], [4])] }],
  Clip: [
    { what: 'both ways', inputs: [x, floats([], [-1]), floats([], [1.5])] },
    { what: 'from above', inputs: [x, undefined, floats([], [0.5])] },
    { what: 'by arguments', inputs: [x, tensor(-0.3), tensor(0.4)] },
    { what: 'to infinity', inputs: [x, floats([], [0]), floats([], [Number.POSITIVE_INFINITY])] },
  ],
  Cast: [
    { what: 'to integers', attributes: { to: 7 }, inputs: [x], outputs: ['int64'] },
    { what: 'to float', attributes: { to: 1 }, inputs: [whole] },
    { what: 'to truth', attributes: { to: 9 }, inputs: [whole], outputs: ['bool'] },
    {
      what: 'to what is narrower',
      attributes: { to: 3 },
      inputs: [tensor(Int32Array.of(300, -200, 5))],
      outputs: ['int8'],
    },
  ],
  LeakyRelu: [{ attributes: { alpha: { float: 0.2 } }, inputs: [x] }],
  Elu: [{ attributes: { alpha: { float: 0.7 } }, inputs: [x] }],
  Celu: [{ attributes: { alpha: { float: 0.6 } }, inputs: [x] }],
  ThresholdedRelu: [{ attributes: { alpha: { float: 0.4 } }, inputs: [x] }],
  PRelu: [{ inputs: [x, floats([5], [0.1, 0.2, 0.3, -0.5, 1])] }],
  HardSigmoid: [{ attributes: { alpha: { float: 0.3 }, beta: { float: 0.4 } }, inputs: [x] }],
  Mish: [{ opset: 18, inputs: [x] }],
  Gelu: [
    { opset: 20, inputs: [x] },
    { what: 'approximate', opset: 20, attributes: { approximate: 'tanh' }, inputs: [x] },
  ],
  Softmax: [
    { inputs: args([2, 3, 4]), attributes: { axis: 1 } },
    { what: 'over the last axis', inputs: args([2, 3, 4]) },
    { what: 'over several axes, as before opset 13', opset: 11, inputs: args([2, 3, 4]), attributes: { axis: 1 } },
  ],
  LogSoftmax: [{ inputs: args([2, 3, 4]), attributes: { axis: 0 } }],
  Dropout: [{ inputs: [x] }, { what: 'with its mask', inputs: [x, floats([], [0.4])], outputs: ['float32', 'bool'] }],
});
