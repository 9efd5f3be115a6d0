import { type DType, isFloating } from '../../../dtype.js';
import type { PrimitiveName } from '../../../primitives/attributes.js';

/** What a node's elements are computed in: 16-bit floats as float, bytes as int. */
export type ComputeType = 'float' | 'int' | 'int64' | 'bool';

export function computeType(dtype: DType): ComputeType {
  if (isFloating(dtype)) return 'float';
  if (dtype === 'int64' || dtype === 'bool') return dtype;
  return 'int';
}

type Formula = (...operands: string[]) => string;

/** Signed sums wrap around, which C leaves open; unsigned ones do. */
const wrapping =
  (operator: string): Formula =>
  (a, b) =>
    `wrapped(unsigned_of(${a}) ${operator} unsigned_of(${b}))`;

/** Formulas over floats. */
const ofFloats: Partial<Record<PrimitiveName, Formula>> = {
  neg: (x) => `-${x}`,
  abs: (x) => `fabsf(${x})`,
  sign: (x) => `sign_of(${x})`,
  exp: (x) => `expf(${x})`,
  log: (x) => `logf(${x})`,
  sqrt: (x) => `sqrtf(${x})`,
  reciprocal: (x) => `(1.0f / ${x})`,
  sin: (x) => `sinf(${x})`,
  cos: (x) => `cosf(${x})`,
  tanh: (x) => `tanhf(${x})`,
  erf: (x) => `erff(${x})`,
  sigmoid: (x) => `(1.0f / (1.0f + expf(-${x})))`,
  relu: (x) => `larger(${x}, 0.0f)`,
  floor: (x) => `floorf(${x})`,
  ceil: (x) => `ceilf(${x})`,
  round: (x) => `rintf(${x})`,
  add: (a, b) => `(${a} + ${b})`,
  sub: (a, b) => `(${a} - ${b})`,
  mul: (a, b) => `(${a} * ${b})`,
  div: (a, b) => `(${a} / ${b})`,
  pow: (a, b) => `powf(${a}, ${b})`,
};

const ofIntegers: Partial<Record<PrimitiveName, Formula>> = {
  neg: (x) => `wrapped(-unsigned_of(${x}))`,
  abs: (x) => `(${x} < 0 ? wrapped(-unsigned_of(${x})) : ${x})`,
  sign: (x) => `((${x} > 0) - (${x} < 0))`,
  add: wrapping('+'),
  sub: wrapping('-'),
  mul: wrapping('*'),
  div: (a, b) => `quotient(${a}, ${b}, failure)`,
  pow: (a, b) => `integer_power(${a}, ${b})`,
};

const ofAll: Partial<Record<PrimitiveName, Formula>> = {
  maximum: (a, b) => `larger(${a}, ${b})`,
  minimum: (a, b) => `smaller(${a}, ${b})`,
  equal: (a, b) => `(${a} == ${b})`,
  less: (a, b) => `(${a} < ${b})`,
  lessEqual: (a, b) => `(${a} <= ${b})`,
  logicalNot: (x) => `!${x}`,
  logicalAnd: (a, b) => `(${a} && ${b})`,
  logicalOr: (a, b) => `(${a} || ${b})`,
  where: (condition, a, b) => `(${condition} ? ${a} : ${b})`,
};

/**
 * An elementwise primitive in C.
 *
 * @param operands names or literals.
 */
export function formula(op: PrimitiveName, inputs: DType, operands: readonly string[]): string {
  const table = computeType(inputs) === 'float' ? ofFloats : ofIntegers;
  const found = ofAll[op] ?? table[op];
  if (!found) throw new RangeError(`no formula for ${op} of ${inputs}`);
  return found(...operands);
}

/** A value brought to another type, as casts do: floats become integers by truncation. */
export function converted(text: string, from: DType, to: DType): string {
  if (to === 'bool') return from === 'bool' ? text : `(${text} != 0)`;
  if (isFloating(to)) return settled(isFloating(from) ? text : `(float)${text}`, to);
  if (isFloating(from)) return `truncated_to_${to}(${text})`;
  return settled(`(${computeType(to)})${text}`, to);
}

/** A computed value in the range of its type: 16-bit floats are rounded after every operation, bytes wrap around. */
export function settled(text: string, dtype: DType): string {
  if (dtype === 'float16' || dtype === 'bfloat16') return `to_float(from_float<${dtype}>(${text}))`;
  return dtype === 'uint8' ? `(int)(uint8)(${text})` : text;
}

/** A number of the host in C; floats are rounded to single precision. */
export function literal(value: number | bigint, dtype: DType): string {
  if (!isFloating(dtype)) {
    if (dtype === 'bool') return value ? 'true' : 'false';
    if (dtype === 'int64') return BigInt(value) === -(2n ** 63n) ? '(-9223372036854775807ll - 1)' : `${value}ll`;
    return Number(value) === -(2 ** 31) ? '(-2147483647 - 1)' : String(value);
  }
  const float = Math.fround(Number(value));
  if (Number.isNaN(float)) return '__uint_as_float(0x7fc00000u)';
  if (!Number.isFinite(float)) return `__uint_as_float(0x${float > 0 ? '7f' : 'ff'}800000u)`;
  const text = String(float);
  const digits = /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
  return float < 0 || Object.is(float, -0) ? `(${Object.is(float, -0) ? '-0.0f' : digits})` : digits;
}
