import { convert, type TypedArrayOf } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import { add } from '../../../ops/arithmetic.js';
import { cast } from '../../../ops/cast.js';
import { equal, less, where } from '../../../ops/compare.js';
import { expandDims, moveAxis, select } from '../../../ops/rearrange.js';
import { full, type Tensor, tensor, zeros } from '../../../tensor.js';
import { computedAs } from '../element-types.js';
import type { NodeContext, Operator } from '../node-context.js';
import { constantTensor, typeAttribute } from './convert.js';
import { integers, longestList } from './shape.js';

const constantOfShape: Operator = (node) => {
  const shape = node.numbers(0);
  const stored = node.tensor('value');
  if (!stored) return zeros(shape);
  const filling = constantTensor(stored);
  const value = Number(node.knownScalar(filling));
  return node.mark(full(shape, value, filling.dtype), stored.type);
};

const range: Operator = (node) => {
  const [start, limit, step] = [node.number(0), node.number(1), node.number(2)];
  const { dtype } = node.input(0);
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (!(count <= longestList)) throw node.refusal(`at most ${longestList} elements`, String(count));
  const values = Float64Array.from({ length: count }, (_, index) => start + index * step);
  return tensor(convert(values, 'float64', dtype) as TypedArrayOf<'float32'>, [count], dtype);
};

/** 1 where the column is at least (or at most) the row plus k; [rows, columns]. */
function band(rows: number, columns: number, keeps: (distance: number) => boolean): Tensor {
  const values = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) values[row * columns + column] = keeps(column - row) ? 1 : 0;
  }
  return tensor(values, [rows, columns], 'bool');
}

const matrixSize = (node: NodeContext, { shape }: Tensor): [rows: number, columns: number] => {
  const [rows, columns] = shape.slice(-2);
  if (rows !== undefined && columns !== undefined && rows * columns <= longestList) return [rows, columns];
  throw node.refusal(`matrices of at most ${longestList} elements`, `[${shape.join(', ')}]`);
};

const triangle: Operator = (node) => {
  const x = node.input(0);
  const diagonal = node.inputCount > 1 && node.optional(1) ? node.number(1) : 0;
  const isUpper = node.flag('upper', true);
  const keeps = (distance: number) => (isUpper ? distance >= diagonal : distance <= diagonal);
  return where(band(...matrixSize(node, x), keeps), x, zeros([], x.dtype));
};

const eyeLike: Operator = (node) => {
  const x = node.input(0);
  const diagonal = node.int('k', 0);
  const type = node.node.attributes.has('dtype') ? typeAttribute(node, 'dtype') : node.typeOf(x);
  return node.mark(
    cast(
      band(...matrixSize(node, x), (distance) => distance === diagonal),
      computedAs(type),
    ),
    type,
  );
};

const oneHot: Operator = (node) => {
  const indices = node.input(0);
  const depth = node.number(1);
  if (depth > longestList) throw node.refusal(`a depth of at most ${longestList}`, String(depth));
  const values = node.input(2); // [off, on]
  const axis = node.int('axis', -1);
  const whole = cast(indices, 'int64');
  const fromStart = where(less(whole, 0), add(whole, depth), whole);
  const places = integers(Array.from({ length: depth }, (_, index) => index));
  const isOn = equal(expandDims(fromStart, -1), places); // [..., depth]
  const [off, on] = [select(values, 0, 0), select(values, 0, 1)];
  return moveAxis(where(isOn, on, off), -1, axis);
};

const nonZero: Operator = (node) => {
  const { shape } = node.input(0);
  const found = node.numbers(0).flatMap((value, place) => (value === 0 ? [] : [place]));
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const list = strides.flatMap((stride, axis) => found.map((place) => Math.floor(place / stride) % shape[axis]!));
  return integers(list, [shape.length, found.length]);
};

/** Tensors that come from a shape or a list of indices. */
export const generateOperators = {
  ConstantOfShape: constantOfShape,
  Range: range,
  Trilu: triangle,
  EyeLike: eyeLike,
  OneHot: oneHot,
  NonZero: nonZero,
} satisfies Readonly<Record<string, Operator>>;
