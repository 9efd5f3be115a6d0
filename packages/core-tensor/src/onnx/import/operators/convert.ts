import { convert, type TypedArrayOf } from '../../../dtype.js';
import { add, sub } from '../../../ops/arithmetic.js';
import { cast } from '../../../ops/cast.js';
import { full, type Tensor, tensor } from '../../../tensor.js';
import {
  bitsOf,
  computedAs,
  describeElementType,
  type ElementType,
  elementTypeOf,
  storageOf,
} from '../element-types.js';
import type { NodeContext, Operator } from '../node-context.js';
import type { StoredTensor } from '../stored-tensor.js';
import { remainder } from './elementwise.js';

/** A stored tensor as a constant. */
export function constantTensor({ type, shape, read }: StoredTensor): Tensor {
  const dtype = computedAs(type);
  const data = convert(read() as TypedArrayOf<'float32'>, storageOf(type) as 'float32', dtype);
  return tensor(data, shape, dtype);
}

/** The element type of an attribute such as `to`. */
export function typeAttribute(node: NodeContext, name: string, missing?: number): ElementType {
  const number = missing === undefined ? node.int(name) : node.int(name, missing);
  const type = elementTypeOf(number);
  if (type !== undefined) return type;
  throw node.refusal(`attribute ${name} with a type that is supported`, describeElementType(number));
}

/** Integers that are narrower than what holds them keep their low bits. */
function wrapped(x: Tensor, type: ElementType): Tensor {
  const span = 2 ** bitsOf(type);
  const least = type.startsWith('u') ? 0 : -span / 2;
  return add(remainder(sub(x, least), full([], span, x.dtype)), least);
}

function castTo(node: NodeContext, x: Tensor, type: ElementType): Tensor {
  if (bitsOf(type) === 4) throw node.refusal('a type of at least 8 bits', type);
  const dtype = computedAs(type);
  const converted = cast(x, dtype);
  const isNarrow = dtype !== type && dtype !== 'float32';
  const wraps = isNarrow && bitsOf(type) < 64 && x.dtype !== 'bool' && !x.dtype.includes('float');
  return node.mark(wraps ? wrapped(converted, type) : converted, type);
}

const castOperator: Operator = (node) => {
  node.ignore('saturate', 'round_mode'); // of 8-bit floats only
  return castTo(node, node.input(0), typeAttribute(node, 'to'));
};

const castLike: Operator = (node) => {
  node.ignore('saturate', 'round_mode');
  return castTo(node, node.input(0), node.typeOf(node.input(1)));
};

/** A constant that is not given as a tensor. */
const constant: Operator = (node) => {
  const value = node.tensor('value');
  if (value) return node.mark(constantTensor(value), value.type);
  const [int, float] = [node.int('value_int', undefined), node.optionalFloat('value_float')];
  const [ints, floats] = [node.ints('value_ints'), node.floats('value_floats')];
  if (int !== undefined) return tensor(int, undefined, 'int64');
  if (float !== undefined) return tensor(float);
  if (ints) return tensor(BigInt64Array.from(ints, BigInt));
  if (floats) return tensor(Float32Array.from(floats));
  throw node.refusal('a constant of numbers', [...node.node.attributes.keys()].join(', ') || 'none');
};

const dropout: Operator = (node) => {
  const x = node.input(0);
  const training = node.optional(2);
  node.optional(1);
  node.ignore('ratio', 'seed');
  if (training && node.knownScalar(training) !== 0) {
    throw node.refusal('a model for inference', 'a dropout that drops', 'Export the model in evaluation mode.');
  }
  return node.outputCount > 1 ? [x, full(x.shape, 1, 'bool')] : x;
};

/** Conversions, constants, and what changes nothing. */
export const convertOperators = {
  Cast: castOperator,
  CastLike: castLike,
  Constant: constant,
  Identity: (node) => node.input(0),
  Dropout: dropout,
} satisfies Readonly<Record<string, Operator>>;
