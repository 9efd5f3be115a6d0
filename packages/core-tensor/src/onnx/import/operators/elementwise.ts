import { isFloating } from '../../../dtype.js';
import {
  abs,
  add,
  ceil,
  cos,
  div,
  erf,
  exp,
  floor,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  round,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  sub,
  tanh,
} from '../../../ops/arithmetic.js';
import { cast } from '../../../ops/cast.js';
import {
  clamp,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  notEqual,
  where,
} from '../../../ops/compare.js';
import type { Tensor } from '../../../tensor.js';
import type { Operator } from '../node-context.js';

const unary =
  (fn: (x: Tensor) => Tensor): Operator =>
  (node) =>
    fn(node.input(0));

const binary =
  (fn: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (node) =>
    fn(node.input(0), node.input(1));

/** Any number of inputs, two at a time. */
const variadic =
  (fn: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (node) =>
    node.all().reduce(fn);

/** The part before the point. */
function truncate(x: Tensor): Tensor {
  return where(less(x, 0), ceil(x), floor(x));
}

/** What is left of a division: of a floored one, with the divisor's sign, or of a truncated one (`fmod` of C). */
export function remainder(a: Tensor, b: Tensor, truncated = false): Tensor {
  const quotient = div(a, b);
  if (isFloating(a.dtype)) return sub(a, mul(b, truncated ? truncate(quotient) : floor(quotient)));
  const rest = sub(a, mul(b, quotient));
  if (truncated) return rest;
  const differs = logicalAnd(notEqual(rest, 0), notEqual(less(rest, 0), less(b, 0)));
  return where(differs, add(rest, b), rest);
}

const mod: Operator = (node) => remainder(node.input(0), node.input(1), node.flag('fmod'));

const power: Operator = (node) => {
  const [base, exponent] = [node.input(0), node.input(1)];
  const known = node.knownScalar(exponent);
  if (known === 2) return square(base);
  if (known === 0.5 && isFloating(base.dtype)) return sqrt(base);
  if (isFloating(base.dtype) || base.dtype === exponent.dtype) return pow(base, cast(exponent, base.dtype));
  return cast(pow(cast(base, 'float32'), cast(exponent, 'float32')), base.dtype);
};

const clip: Operator = (node) => {
  const x = node.input(0);
  const bounds = [node.optional(1), node.optional(2)];
  const [low, high] = bounds.map((bound) => bound && node.knownScalar(bound));
  if ((!bounds[0] || low !== undefined) && (!bounds[1] || high !== undefined)) {
    // A bound at infinity is none; as a float it would be no integer.
    const isBound = (value: number | undefined) => value !== undefined && Number.isFinite(value);
    return clamp(x, { ...(isBound(low) && { low: low! }), ...(isBound(high) && { high: high! }) });
  }
  const raised = bounds[0] ? maximum(x, bounds[0]) : x;
  return bounds[1] ? minimum(raised, bounds[1]) : raised;
};

const isInfinite: Operator = (node) => {
  const x = node.input(0);
  const [up, down] = [node.flag('detect_positive', true), node.flag('detect_negative', true)];
  const at = (value: number) => equal(x, value);
  if (up && down) return equal(abs(x), Number.POSITIVE_INFINITY);
  if (up) return at(Number.POSITIVE_INFINITY);
  return down ? at(Number.NEGATIVE_INFINITY) : logicalAnd(equal(x, 0), notEqual(x, 0));
};

const mean: Operator = (node) => mul(node.all().reduce(add), 1 / node.inputCount);

/** Arithmetic, comparisons and logic, element by element. */
export const elementwiseOperators = {
  Abs: unary(abs),
  Neg: unary(neg),
  Sign: unary(sign),
  Exp: unary(exp),
  Log: unary(log),
  Sqrt: unary(sqrt),
  Reciprocal: unary(reciprocal),
  Sin: unary(sin),
  Cos: unary(cos),
  Tanh: unary(tanh),
  Erf: unary(erf),
  Sigmoid: unary(sigmoid),
  Floor: unary((x) => floor(x)),
  Ceil: unary(ceil),
  Round: unary(round),
  Not: unary(logicalNot),
  IsNaN: unary((x) => notEqual(x, x)),
  IsInf: isInfinite,
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary(div),
  Mod: mod,
  Pow: power,
  Max: variadic(maximum),
  Min: variadic(minimum),
  Sum: variadic(add),
  Mean: mean,
  Equal: binary(equal),
  Less: binary(less),
  LessOrEqual: binary(lessEqual),
  Greater: binary(greater),
  GreaterOrEqual: binary(greaterEqual),
  And: binary(logicalAnd),
  Or: binary(logicalOr),
  Xor: binary(notEqual),
  Where: (node) => where(node.input(0), node.input(1), node.input(2)),
  Clip: clip,
} satisfies Readonly<Record<string, Operator>>;
