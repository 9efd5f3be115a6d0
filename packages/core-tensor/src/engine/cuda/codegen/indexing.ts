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
