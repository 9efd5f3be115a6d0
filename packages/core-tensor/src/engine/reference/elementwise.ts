import { convert, isFloating } from '../../dtype.js';
import { type Shape, sameShape } from '../../graph/shape.js';
import { erf } from '../../random/erf.js';
import { integerQuotient } from '../integer-checks.js';
import { broadcastPlaces, pick } from './layout.js';
import type { ReferenceLowerings, ReferenceValue } from './value.js';

const unary =
  (fn: (x: number) => number) =>
  (_: unknown, inputs: readonly ReferenceValue[]): Float64Array =>
    inputs[0]!.data.map(fn);

/** Elements of a tensor stretched to a shape. */
function stretched({ data, shape }: ReferenceValue, to: Shape): Float64Array {
  return sameShape(shape, to) ? data : pick(data, broadcastPlaces(shape, to));
}

function zip(shape: Shape, inputs: readonly ReferenceValue[], fn: (a: number, b: number) => number): Float64Array {
  const [a, b] = inputs.map((input) => stretched(input, shape)) as [Float64Array, Float64Array];
  return a.map((value, i) => fn(value, b[i]!));
}

const binary =
  (fn: (a: number, b: number) => number, ofIntegers = fn) =>
  (
    { shape, dtype }: { readonly shape: Shape; readonly dtype: string },
    inputs: readonly ReferenceValue[],
  ): Float64Array =>
    zip(shape, inputs, dtype.includes('float') ? fn : ofIntegers);

const comparison =
  (fn: (a: number, b: number) => boolean) =>
  ({ shape }: { readonly shape: Shape }, inputs: readonly ReferenceValue[]): Float64Array =>
    zip(shape, inputs, (a, b) => (fn(a, b) ? 1 : 0));

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const distance = x - below;
  if (distance !== 0.5) return distance < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Products of two 32-bit integers leave the doubles' exact range; the low 32 bits are computed exactly. */
function multiplyIntegers(a: number, b: number): number {
  const product = a * b;
  return Number.isSafeInteger(product)
    ? product
    : Math.abs(a) <= 2 ** 31 && Math.abs(b) <= 2 ** 31
      ? Math.imul(a, b)
      : product;
}

export const elementwiseLowerings = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  reciprocal: unary((x) => 1 / x),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  erf: unary(erf),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  relu: unary((x) => Math.max(x, 0)),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundHalfToEven),
  logicalNot: unary((x) => (x === 0 ? 1 : 0)),
  // Floats become integers by truncation within the target's range, integers by keeping the low bits.
  cast: ({ dtype }, [x]) => {
    if (dtype === 'bool') return x!.data.map((value) => (value === 0 ? 0 : 1));
    if (isFloating(dtype) || !isFloating(x!.dtype)) return new Float64Array(x!.data);
    return convert(convert(x!.data, 'float64', dtype) as never, dtype, 'float64');
  },
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b, multiplyIntegers),
  div: binary(
    (a, b) => a / b,
    (a, b) => integerQuotient('reference engine: div', a, b),
  ),
  pow: binary(
    (a, b) => a ** b,
    (a, b) => Math.trunc(a ** b),
  ),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  equal: comparison((a, b) => a === b),
  less: comparison((a, b) => a < b),
  lessEqual: comparison((a, b) => a <= b),
  logicalAnd: comparison((a, b) => a !== 0 && b !== 0),
  logicalOr: comparison((a, b) => a !== 0 || b !== 0),
  where: ({ shape }, inputs) => {
    const [condition, a, b] = inputs.map((input) => stretched(input, shape)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    return condition.map((value, i) => (value === 0 ? b[i]! : a[i]!));
  },
} satisfies Partial<ReferenceLowerings>;
