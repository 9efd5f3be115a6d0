import type { DType } from '../dtype.js';
import { DTypeError } from '../errors.js';
import { broadcastShapes } from '../graph/shape.js';
import { abs, cos, div, exp, log, mul, neg, pow, sign, sin, sub } from '../ops/arithmetic.js';
import { sumTo } from '../ops/broadcast.js';
import { cast } from '../ops/cast.js';
import { equal, less, logicalNot, where } from '../ops/compare.js';
import type { Tensor } from '../tensor.js';
import type { None } from './attributes.js';
import {
  type AbstractTensor,
  type GradientContext,
  type Primitive,
  requireFloat,
  requireSameDType,
} from './primitive.js';

type Unary = GradientContext<None> & { readonly x: Tensor; readonly y: Tensor; readonly dy: Tensor };

/** An elementwise function of floats, by its derivative; without one its gradient is zero everywhere. */
function unary(name: string, derivative?: (context: Unary) => Tensor): Primitive<None> {
  return {
    infer: (inputs) => {
      requireFloat(name, inputs);
      return inputs[0]!;
    },
    gradient: (context) => [
      derivative?.({ ...context, x: context.inputs[0]!, y: context.output, dy: context.cotangent }),
    ],
  };
}

/** A unary function that integers have too. */
function unaryNumber(name: string, derivative: (context: Unary) => Tensor | undefined): Primitive<None> {
  return {
    infer: (inputs) => {
      if (inputs[0]!.dtype === 'bool') {
        throw new DTypeError({ operation: name, expected: 'a number dtype', received: 'bool' });
      }
      return inputs[0]!;
    },
    gradient: (context) => [
      derivative({ ...context, x: context.inputs[0]!, y: context.output, dy: context.cotangent }),
    ],
  };
}

export const unaryPrimitives = {
  neg: unaryNumber('neg', ({ dy }) => neg(dy)),
  abs: unaryNumber('abs', ({ x, dy }) => mul(dy, sign(x))),
  sign: unaryNumber('sign', () => undefined),
  exp: unary('exp', ({ y, dy }) => mul(dy, y)),
  log: unary('log', ({ x, dy }) => div(dy, x)),
  sqrt: unary('sqrt', ({ y, dy }) => div(mul(dy, 0.5), y)),
  reciprocal: unary('reciprocal', ({ y, dy }) => neg(mul(dy, mul(y, y)))),
  sin: unary('sin', ({ x, dy }) => mul(dy, cos(x))),
  cos: unary('cos', ({ x, dy }) => neg(mul(dy, sin(x)))),
  tanh: unary('tanh', ({ y, dy }) => mul(dy, sub(1, mul(y, y)))),
  erf: unary('erf', ({ x, dy }) => mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x)))))),
  sigmoid: unary('sigmoid', ({ y, dy }) => mul(dy, mul(y, sub(1, y)))),
  // The derivative at 0 is 0, as in PyTorch.
  relu: unary('relu', ({ y, dy }) => where(less(0, y), dy, 0)),
  floor: unary('floor'),
  ceil: unary('ceil'),
  /** Halves go to the even neighbour. */
  round: unary('round'),
  logicalNot: {
    infer: (inputs: readonly AbstractTensor[]) => {
      requireBool('logicalNot', inputs);
      return inputs[0]!;
    },
  } satisfies Primitive<None>,
  cast: {
    infer: ([x], { dtype }) => ({ shape: x!.shape, dtype }),
    gradient: ({ inputs, cotangent }) => {
      const { dtype } = inputs[0]!;
      return [isFloat(dtype) ? cast(cotangent, dtype) : undefined];
    },
  } satisfies Primitive<{ readonly dtype: DType }>,
};

type Binary = { readonly a: Tensor; readonly b: Tensor; readonly y: Tensor; readonly dy: Tensor };

/** A broadcasting arithmetic operation, by its two partial derivatives (times the cotangent). */
function binary(name: string, da: (context: Binary) => Tensor, db: (context: Binary) => Tensor): Primitive<None> {
  return {
    infer: (inputs) => {
      const dtype = requireSameDType(name, inputs);
      if (dtype === 'bool') {
        throw new DTypeError({
          operation: name,
          expected: 'number dtypes',
          received: 'bool',
          remedy: 'Use logicalAnd or logicalOr, or cast to a number first.',
        });
      }
      return { shape: broadcastShapes(name, inputs[0]!.shape, inputs[1]!.shape), dtype };
    },
    gradient: ({ inputs, output, cotangent, needs }) => {
      const context = { a: inputs[0]!, b: inputs[1]!, y: output, dy: cotangent };
      return [
        needs(0) ? sumTo(da(context), context.a.shape) : undefined,
        needs(1) ? sumTo(db(context), context.b.shape) : undefined,
      ];
    },
  };
}

function comparison(name: string): Primitive<None> {
  return {
    infer: (inputs) => {
      requireSameDType(name, inputs);
      return { shape: broadcastShapes(name, inputs[0]!.shape, inputs[1]!.shape), dtype: 'bool' };
    },
  };
}

function logical(name: string): Primitive<None> {
  return {
    infer: (inputs) => {
      requireBool(name, inputs);
      return { shape: broadcastShapes(name, inputs[0]!.shape, inputs[1]!.shape), dtype: 'bool' };
    },
  };
}

/** Share of the cotangent for the larger of two values; ties are halved (as PyTorch does). */
function shareOf(winner: Tensor, loser: Tensor, dy: Tensor): Tensor {
  return where(less(loser, winner), dy, where(equal(winner, loser), mul(dy, 0.5), 0));
}

export const binaryPrimitives = {
  add: binary(
    'add',
    ({ dy }) => dy,
    ({ dy }) => dy,
  ),
  sub: binary(
    'sub',
    ({ dy }) => dy,
    ({ dy }) => neg(dy),
  ),
  mul: binary(
    'mul',
    ({ b, dy }) => mul(dy, b),
    ({ a, dy }) => mul(dy, a),
  ),
  div: binary(
    'div',
    ({ b, dy }) => div(dy, b),
    ({ b, y, dy }) => neg(div(mul(dy, y), b)),
  ),
  pow: binary(
    'pow',
    ({ a, b, dy }) => mul(dy, mul(b, pow(a, sub(b, 1)))),
    // 0^b has derivative 0 in b; log(0) must not turn it into NaN.
    ({ a, y, dy }) => mul(dy, where(equal(y, 0), 0, mul(y, log(where(equal(a, 0), 1, abs(a)))))),
  ),
  maximum: binary(
    'maximum',
    ({ a, b, dy }) => shareOf(a, b, dy),
    ({ a, b, dy }) => shareOf(b, a, dy),
  ),
  minimum: binary(
    'minimum',
    ({ a, b, dy }) => shareOf(neg(a), neg(b), dy),
    ({ a, b, dy }) => shareOf(neg(b), neg(a), dy),
  ),
  equal: comparison('equal'),
  less: comparison('less'),
  lessEqual: comparison('lessEqual'),
  logicalAnd: logical('logicalAnd'),
  logicalOr: logical('logicalOr'),
  where: {
    infer: (inputs) => {
      const [condition, a, b] = inputs;
      requireBool('where', [condition!]);
      const dtype = requireSameDType('where', [a!, b!]);
      return { shape: broadcastShapes('where', condition!.shape, a!.shape, b!.shape), dtype };
    },
    gradient: ({ inputs, cotangent, needs }) => [
      undefined,
      needs(1) ? sumTo(where(inputs[0]!, cotangent, 0), inputs[1]!.shape) : undefined,
      needs(2) ? sumTo(where(logicalNot(inputs[0]!), cotangent, 0), inputs[2]!.shape) : undefined,
    ],
  } satisfies Primitive<None>,
};

function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';
}

function requireBool(operation: string, inputs: readonly AbstractTensor[]): void {
  for (const { dtype } of inputs) {
    if (dtype !== 'bool') {
      throw new DTypeError({
        operation,
        expected: 'bool inputs',
        received: dtype,
        remedy: 'Compare first, for example with less or equal.',
      });
    }
  }
}
