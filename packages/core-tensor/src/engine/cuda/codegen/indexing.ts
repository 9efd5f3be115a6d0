import { byteSize } from '../../../dtype.js';
import { type Shape, sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { failureFunctions, failureParameter } from './failure.js';
import {
  converted,
  eachOf,
  indexType,
  integer,
  launch,
  reads,
  spread,
  widestWord,
  wordTypes,
  writes,
} from './launch-text.js';
import { type CudaLowering, nothing } from './lowered.js';

/** Sizes before an axis, of it, and after it. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** A thread per word of the result: rows of an embedding are read and written 16 bytes at a time. */
export const gather: CudaLowering<'gather'> = ({ inputs: [x, indices], shape, dtype, attributes: { axis } }) => {
  const { outer, size, inner } = aroundAxis(x!.shape, axis);
  const count = sizeOf(indices!.shape);
  if (sizeOf(shape) === 0) return nothing;
  const whole = x!.dtype === dtype;
  const word = widestWord([inner * byteSize(dtype)]);
  const width = whole ? (inner * byteSize(dtype)) / word.bytes : inner;
  const total = outer * count * width;
  const index = indexType(total, outer * size * width);
  const body = `
${eachOf(total)}
const int within = (int)(i % ${integer(width)});
const ${index} row = i / ${integer(width)};
const int64 chosen = indices[row % ${count}];
if (!index_fits(chosen, ${size}, failure)) return;
const ${index} from = (row / ${count} * ${size} + (${index})chosen) * ${integer(width)} + within;
out[i] = ${whole ? 'x[from]' : converted(x!.dtype, dtype, 'x[from]')};`;
  return {
    launches: [
      launch({
        name: 'gather',
        helpers: [wordTypes, failureFunctions],
        parameters: [
          reads(0, whole ? word.type : cTypes[x!.dtype], 'x'),
          reads(1, cTypes[indices!.dtype], 'indices'),
          writes('out', whole ? word.type : cTypes[dtype], 'out'),
          failureParameter,
        ],
        body,
        ...spread(total),
      }),
    ],
    temporaries: [],
  };
};

/** A thread per element. */
export const takeAlongAxis: CudaLowering<'takeAlongAxis'> = ({ inputs, shape, dtype, attributes: { axis } }) => {
  const [x, indices] = inputs;
  const { size, inner } = aroundAxis(x!.shape, axis);
  const count = shape[axis]!;
  const total = sizeOf(shape);
  if (total === 0) return nothing;
  const index = indexType(total, sizeOf(x!.shape));
  const body = `
${eachOf(total)}
const int64 chosen = indices[i];
if (!index_fits(chosen, ${size}, failure)) return;
const ${index} from = (i / ${integer(count * inner)} * ${size} + (${index})chosen) * ${integer(inner)} + i % ${integer(inner)};
out[i] = ${converted(x!.dtype, dtype, 'x[from]')};`;
  return {
    launches: [
      launch({
        name: 'take_along_axis',
        helpers: [failureFunctions],
        parameters: [
          reads(0, cTypes[x!.dtype], 'x'),
          reads(1, cTypes[indices!.dtype], 'indices'),
          writes('out', cTypes[dtype], 'out'),
          failureParameter,
        ],
        body,
        ...spread(total),
      }),
    ],
    temporaries: [],
  };
};

/** Writes the update's elements only: `out` has to hold `x` already. An update that does not fit is not written at all. */
export const updateSlice: CudaLowering<'updateSlice'> = ({ inputs, shape, dtype, attributes: { axis } }) => {
  const [, update, start] = inputs;
  const { size, inner } = aroundAxis(shape, axis);
  const count = update!.shape[axis]!;
  if (sizeOf(update!.shape) === 0) return nothing;
  const whole = update!.dtype === dtype;
  const word = widestWord([inner * byteSize(dtype)]);
  const width = whole ? (inner * byteSize(dtype)) / word.bytes : inner;
  const total = (sizeOf(update!.shape) / inner) * width;
  const index = indexType(total, (sizeOf(shape) / inner) * width);
  const body = `
${eachOf(total)}
const int64 first = start[0];
if (!slice_fits(first, ${count}, ${size}, failure)) return;
const ${index} row = i / ${integer(count * width)};
out[(row * ${size} + (${index})first) * ${integer(width)} + i % ${integer(count * width)}] = ${whole ? 'update[i]' : converted(update!.dtype, dtype, 'update[i]')};`;
  return {
    launches: [
      launch({
        name: 'update_slice',
        helpers: [wordTypes, failureFunctions],
        parameters: [
          reads(1, whole ? word.type : cTypes[update!.dtype], 'update'),
          reads(2, cTypes[start!.dtype], 'start'),
          writes('out', whole ? word.type : cTypes[dtype], 'out'),
          failureParameter,
        ],
        body,
        ...spread(total),
      }),
    ],
    temporaries: [],
  };
};
