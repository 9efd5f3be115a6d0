import { type Shape, stridesOf } from '../../../graph/shape.js';

/** An integer of a kernel that lies between 0 and size − 1: the element a thread computes, a row, a column. */
export interface Variable {
  /** Name, or an expression in parentheses. */
  readonly text: string;
  readonly size: number;
}

/** ⌊variable / divisor⌋ mod modulus: one digit of a variable in a mixed-radix system. */
interface Digit {
  readonly variable: Variable;
  readonly divisor: number;
  readonly modulus: number;
}

interface Term extends Digit {
  readonly coefficient: number;
}

/** An integer as Σ coefficient · digit + constant: what coordinates become when shapes are changed, permuted and cut. */
export interface IndexExpression {
  readonly terms: readonly Term[];
  readonly constant: number;
}

export function constantIndex(constant: number): IndexExpression {
  return { terms: [], constant };
}

export function variableIndex(variable: Variable): IndexExpression {
  if (variable.size <= 1) return constantIndex(0);
  return { terms: [{ variable, divisor: 1, modulus: variable.size, coefficient: 1 }], constant: 0 };
}

export function addIndex(a: IndexExpression, b: IndexExpression): IndexExpression {
  return { terms: joined([...a.terms, ...b.terms]), constant: a.constant + b.constant };
}

export function scaleIndex({ terms, constant }: IndexExpression, factor: number): IndexExpression {
  if (factor === 0) return constantIndex(0);
  return {
    terms: terms.map((term) => ({ ...term, coefficient: term.coefficient * factor })),
    constant: constant * factor,
  };
}

/** Smallest and largest value. */
export function indexRange({ terms, constant }: IndexExpression): [least: number, most: number] {
  let [least, most] = [constant, constant];
  for (const { coefficient, modulus } of terms) {
    const reach = coefficient * (modulus - 1);
    if (reach < 0) least += reach;
    else most += reach;
  }
  return [least, most];
}

/** Quotient and remainder of a value that is not negative, as simply as its terms allow. */
export function divideIndex(
  index: IndexExpression,
  by: number,
): { readonly quotient: IndexExpression; readonly remainder: IndexExpression } {
  if (by === 1) return { quotient: index, remainder: constantIndex(0) };
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const term of index.terms) {
    const [high, low] = splitTerm(term, by);
    if (high) whole.push({ ...high, coefficient: high.coefficient / by });
    if (low) rest.push(low);
  }
  const constant = ((index.constant % by) + by) % by;
  const remainder = { terms: joined(rest), constant };
  const quotient = { terms: joined(whole), constant: (index.constant - constant) / by };
  const [least, most] = indexRange(remainder);
  if (least >= 0 && most < by) return { quotient, remainder };
  const [, largest] = indexRange(index);
  const text = indexText(index);
  return {
    quotient: variableIndex({ text: `(${text} / ${by})`, size: Math.floor(largest / by) + 1 }),
    remainder: variableIndex({ text: `(${text} % ${by})`, size: Math.min(by, largest + 1) }),
  };
}

/** A term as a multiple of `by` and what is left, where the term's digit can be cut that way. */
function splitTerm(term: Term, by: number): [high: Term | undefined, low: Term | undefined] {
  const { coefficient, divisor, modulus, variable } = term;
  if (coefficient % by === 0) return [term, undefined];
  if (coefficient <= 0 || by % coefficient !== 0) return [undefined, term];
  const cut = by / coefficient;
  if (modulus <= cut) return [undefined, term];
  const reachesEnd = divisor * modulus >= variable.size;
  if (modulus % cut !== 0 && !reachesEnd) return [undefined, term];
  return [
    { variable, divisor: divisor * cut, modulus: Math.ceil(modulus / cut), coefficient: by },
    { variable, divisor, modulus: cut, coefficient },
  ];
}

/** Terms with equal digits added, and neighbouring digits of one variable made one again. */
function joined(terms: readonly Term[]): Term[] {
  const result: Term[] = [];
  for (const each of terms) {
    const { variable, divisor, modulus } = each;
    const term = { ...each, modulus: Math.min(modulus, Math.ceil(variable.size / divisor)) };
    const same = result.findIndex(
      (other) => other.variable.text === variable.text && other.divisor === divisor && other.modulus === term.modulus,
    );
    if (same >= 0) {
      const coefficient = result[same]!.coefficient + term.coefficient;
      if (coefficient === 0) result.splice(same, 1);
      else result[same] = { ...term, coefficient };
    } else {
      result.push(term);
    }
  }
  for (;;) {
    const pair = neighbours(result);
    if (!pair) return result;
    const [low, high] = pair.map((position) => result[position]!) as [Term, Term];
    const both = { ...low, modulus: low.modulus * high.modulus };
    const kept = result.filter((_, position) => !pair.includes(position));
    result.splice(0, result.length, ...kept, both);
  }
}

function neighbours(terms: readonly Term[]): [low: number, high: number] | undefined {
  for (const [i, low] of terms.entries()) {
    for (const [j, high] of terms.entries()) {
      const isNext =
        i !== j &&
        low.variable.text === high.variable.text &&
        high.divisor === low.divisor * low.modulus &&
        high.coefficient === low.coefficient * low.modulus;
      if (isNext) return [i, j];
    }
  }
  return undefined;
}

/** In C. */
export function indexText({ terms, constant }: IndexExpression): string {
  const parts = terms.map((term) => {
    const { coefficient } = term;
    const digit = digitText(term);
    return coefficient === 1 ? digit : `${digit} * ${coefficient}`;
  });
  if (constant !== 0 || parts.length === 0) parts.push(String(constant));
  return parts.length === 1 ? parts[0]! : `(${parts.join(' + ')})`;
}

function digitText({ variable, divisor, modulus }: Digit): string {
  const quotient = divisor === 1 ? variable.text : `(${variable.text} / ${divisor})`;
  return divisor * modulus >= variable.size ? quotient : `(${quotient} % ${modulus})`;
}

/** The place of an element in row-major order. */
export function linearIndex(coordinates: readonly IndexExpression[], shape: Shape): IndexExpression {
  return stridesOf(shape).reduce(
    (sum, stride, axis) => (shape[axis] === 1 ? sum : addIndex(sum, scaleIndex(coordinates[axis]!, stride))),
    constantIndex(0),
  );
}

/** Coordinates of the element at a place in row-major order. */
export function splitIndex(index: IndexExpression, shape: Shape): IndexExpression[] {
  const coordinates = new Array<IndexExpression>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) {
      coordinates[axis] = constantIndex(0);
      continue;
    }
    const isFirst = shape.slice(0, axis).every((size) => size === 1);
    const { quotient, remainder } = isFirst
      ? { quotient: constantIndex(0), remainder: rest }
      : divideIndex(rest, shape[axis]!);
    coordinates[axis] = remainder;
    rest = quotient;
  }
  return coordinates;
}

/** Steps in memory per step of each variable, where the index is made of whole variables alone. */
export function indexStrides(index: IndexExpression, variables: readonly Variable[]): number[] | undefined {
  const strides = variables.map(() => 0);
  for (const { variable, divisor, modulus, coefficient } of index.terms) {
    const position = variables.findIndex(({ text }) => text === variable.text);
    if (position < 0 || divisor !== 1 || modulus < variable.size) return undefined;
    strides[position] = coefficient;
  }
  return strides;
}
