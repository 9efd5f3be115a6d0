import { convert, type DType } from '../../dtype.js';
import { type Shape, sameShape } from '../../graph/shape.js';
import { integerQuotient } from '../integer-checks.js';
import { heldAs, movingBools, negate, type Tfjs, type TfjsLowerings, type TfjsTensor, toBool } from './lowering.js';
import { mergeBroadcast, stretch } from './views.js';

type Node = { readonly shape: Shape; readonly dtype: DType };

/** Integers of 8 bits are held in 32 and wrap around at 256. */
function wrapped(tf: Tfjs, x: TfjsTensor, dtype: DType): TfjsTensor {
  if (dtype !== 'uint8') return x;
  const range = tf.scalar(256, 'int32');
  return tf.sub(x, tf.mul(tf.floorDiv(x, range), range));
}

const unary =
  (fn: (tf: Tfjs, x: TfjsTensor) => TfjsTensor) =>
  (tf: Tfjs, { dtype }: Node, inputs: readonly TfjsTensor[]): TfjsTensor =>
    wrapped(tf, fn(tf, inputs[0]!), dtype);

/** An operation on equal shapes. */
const binary =
  (fn: (tf: Tfjs, a: TfjsTensor, b: TfjsTensor) => TfjsTensor) =>
  (tf: Tfjs, { shape, dtype }: Node, inputs: readonly TfjsTensor[]): TfjsTensor => {
    const [a, b] = inputs.map((x) => stretch(tf, x, shape)) as [TfjsTensor, TfjsTensor];
    return wrapped(tf, fn(tf, a, b), dtype);
  };

/** An operation that all backends broadcast themselves, for floats of up to four axes. */
const broadcasting = (fn: (tf: Tfjs, a: TfjsTensor, b: TfjsTensor) => TfjsTensor) => {
  const onEqualShapes = binary(fn);
  return (tf: Tfjs, node: Node, inputs: readonly TfjsTensor[]): TfjsTensor => {
    const merged = mergeBroadcast(
      inputs.map((x) => x.shape),
      node.shape,
    );
    const isSimple = heldAs(node.dtype) === 'float32' && merged.result.length <= 4;
    if (!isSimple || inputs.every((x) => sameShape(x.shape, node.shape))) return onEqualShapes(tf, node, inputs);
    const [a, b] = inputs.map((x, i) => tf.reshape(x, merged.inputs[i]!)) as [TfjsTensor, TfjsTensor];
    return tf.reshape(fn(tf, a, b), [...node.shape]);
  };
};

/** Integer quotients round toward zero. Backends divide them by way of floats, which do not hold all; the host does not. */
function quotient(tf: Tfjs, a: TfjsTensor, b: TfjsTensor): TfjsTensor {
  if (a.dtype === 'float32') return tf.div(a, b);
  const divisors = b.dataSync<'int32'>();
  const divide = (value: number, i: number) => integerQuotient('tfjs engine: div', value, divisors[i]!);
  return tf.tensor(Int32Array.from(a.dataSync<'int32'>(), divide), a.shape, 'int32');
}

/**
 * Changes the dtype by way of the host wherever backends differ: 16-bit floats are rounded, floats are truncated and
 * kept within the range of the integer.
 */
function castTo(tf: Tfjs, x: TfjsTensor, to: DType): TfjsTensor {
  if (to === 'bool') return x.dtype === 'bool' ? x : toBool(tf, x);
  if (to === 'float32') return tf.cast(x, 'float32');
  const isHalf = to === 'float16' || to === 'bfloat16';
  if (isHalf) {
    const values = tf.cast(x, 'float32').dataSync<'float32'>();
    return tf.tensor(convert(convert(values as Float32Array, 'float32', to), to, 'float32'), x.shape, 'float32');
  }
  if (x.dtype !== 'float32') return wrapped(tf, tf.cast(x, 'int32'), to);
  // Whole numbers beyond 32 bits have no place here, not even as int64.
  const target = to === 'uint8' ? 'uint8' : 'int32';
  return tf.tensor(
    Int32Array.from(convert(x.dataSync<'float32'>() as Float32Array, 'float32', target)),
    x.shape,
    'int32',
  );
}

export const elementwiseLowerings = {
  neg: unary(negate),
  abs: unary((tf, x) => (x.dtype === 'int32' ? tf.maximum(x, negate(tf, x)) : tf.abs(x))),
  sign: unary((tf, x) => tf.sign(x)),
  exp: unary((tf, x) => tf.exp(x)),
  log: unary((tf, x) => tf.log(x)),
  sqrt: unary((tf, x) => tf.sqrt(x)),
  reciprocal: unary((tf, x) => tf.reciprocal(x)),
  sin: unary((tf, x) => tf.sin(x)),
  cos: unary((tf, x) => tf.cos(x)),
  tanh: unary((tf, x) => tf.tanh(x)),
  erf: unary((tf, x) => tf.erf(x)),
  sigmoid: unary((tf, x) => tf.sigmoid(x)),
  relu: unary((tf, x) => tf.relu(x)),
  floor: unary((tf, x) => tf.floor(x)),
  ceil: unary((tf, x) => tf.ceil(x)),
  round: unary((tf, x) => tf.round(x)),
  logicalNot: unary((tf, x) => tf.logicalNot(x)),
  cast: (tf, { attributes: { dtype } }, [x]) => castTo(tf, x!, dtype),
  add: broadcasting((tf, a, b) => tf.add(a, b)),
  sub: broadcasting((tf, a, b) => tf.sub(a, b)),
  mul: broadcasting((tf, a, b) => tf.mul(a, b)),
  div: broadcasting(quotient),
  pow: binary((tf, a, b) => tf.pow(a, b)),
  maximum: binary((tf, a, b) => tf.maximum(a, b)),
  minimum: binary((tf, a, b) => tf.minimum(a, b)),
  equal: binary((tf, a, b) => tf.equal(a, b)),
  less: binary((tf, a, b) => tf.less(a, b)),
  lessEqual: binary((tf, a, b) => tf.lessEqual(a, b)),
  logicalAnd: binary((tf, a, b) => tf.logicalAnd(a, b)),
  logicalOr: binary((tf, a, b) => tf.logicalOr(a, b)),
  where: (tf, { shape }, inputs) => {
    const [condition, a, b] = inputs as [TfjsTensor, TfjsTensor, TfjsTensor];
    const chosen = stretch(tf, condition, [...shape]);
    return movingBools(tf, [a, b], (x, y) => tf.where(chosen, stretch(tf, x!, shape), stretch(tf, y!, shape)));
  },
} satisfies Partial<TfjsLowerings>;
