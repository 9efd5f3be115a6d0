import type { PrimitiveName } from '../primitives/attributes.js';
import { asTensors, record, type Tensor, type TensorLike } from '../tensor.js';

type Plain = Extract<
  PrimitiveName,
  | 'neg'
  | 'abs'
  | 'sign'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'reciprocal'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'erf'
  | 'sigmoid'
  | 'relu'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'maximum'
  | 'minimum'
>;

const unary =
  (op: Plain) =>
  (x: TensorLike): Tensor =>
    record(op, asTensors(x), {});
const binary =
  (op: Plain) =>
  (a: TensorLike, b: TensorLike): Tensor =>
    record(op, asTensors(a, b), {});

/** −x, elementwise. */
export const neg = unary('neg');
/** |x|, elementwise; derivative 0 at 0. */
export const abs = unary('abs');
/** −1, 0 or 1, elementwise. */
export const sign = unary('sign');
/** eˣ, elementwise. */
export const exp = unary('exp');
/** Natural logarithm, elementwise. */
export const log = unary('log');
/** √x, elementwise. */
export const sqrt = unary('sqrt');
/** 1 / x, elementwise. */
export const reciprocal = unary('reciprocal');
/** Sine of radians, elementwise. */
export const sin = unary('sin');
/** Cosine of radians, elementwise. */
export const cos = unary('cos');
/** Hyperbolic tangent, elementwise. */
export const tanh = unary('tanh');
/** Gauss error function, elementwise. */
export const erf = unary('erf');
/** 1 / (1 + e⁻ˣ), elementwise. */
export const sigmoid = unary('sigmoid');
/** max(x, 0), elementwise; derivative 0 at 0. */
export const relu = unary('relu');
/** Largest integer not above x, elementwise; gradient 0. */
export const floor = unary('floor');
/** Smallest integer not below x, elementwise; gradient 0. */
export const ceil = unary('ceil');
/** Nearest integer, halves to the even one, elementwise; gradient 0. */
export const round = unary('round');

/** a + b, broadcasting. */
export const add = binary('add');
/** a − b, broadcasting. */
export const sub = binary('sub');
/** a · b elementwise, broadcasting. */
export const mul = binary('mul');
/** a / b, broadcasting; integers round toward zero. */
export const div = binary('div');
/** aᵇ elementwise, broadcasting. */
export const pow = binary('pow');
/** Larger of the two, elementwise, broadcasting; ties halve the gradient. */
export const maximum = binary('maximum');
/** Smaller of the two, elementwise, broadcasting; ties halve the gradient. */
export const minimum = binary('minimum');

/** x², elementwise. */
export function square(x: Tensor): Tensor {
  return mul(x, x);
}

/** 1 / √x, elementwise. */
export function rsqrt(x: Tensor): Tensor {
  return reciprocal(sqrt(x));
}
