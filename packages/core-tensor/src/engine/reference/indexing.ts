import { sizeOf } from '../../graph/shape.js';
import { requireIndexRange } from '../integer-checks.js';
import { writeSlice } from '../write-slice.js';
import { aroundAxis } from './layout.js';
import type { ReferenceLowerings, ReferenceValue } from './value.js';

/** Indices that all lie within an axis. */
function checked(operation: string, { data }: ReferenceValue, size: number): Float64Array {
  requireIndexRange(`reference engine: ${operation}`, data, size);
  return data;
}

/** Place in x [..., size, ...] of each element of an index tensor that is equal to it on all other axes. */
function alongPlaces(operation: string, indices: ReferenceValue, axis: number, size: number): Float64Array {
  const { size: count, inner } = aroundAxis(indices.shape, axis);
  return checked(operation, indices, size).map((index, i) => {
    const outer = Math.floor(i / (count * inner));
    return (outer * size + index) * inner + (i % inner);
  });
}

export const indexingLowerings = {
  gather: ({ shape, attributes: { axis } }, inputs) => {
    const [x, indices] = inputs as [ReferenceValue, ReferenceValue];
    const { outer, size, inner } = aroundAxis(x.shape, axis);
    const result = new Float64Array(sizeOf(shape));
    const list = checked('gather', indices, size);
    for (let i = 0; i < outer; i++) {
      list.forEach((index, j) => {
        const start = (i * size + index) * inner;
        result.set(x.data.subarray(start, start + inner), (i * list.length + j) * inner);
      });
    }
    return result;
  },
  scatterAddRows: ({ shape, attributes: { rows } }, inputs) => {
    const [indices, updates] = inputs as [ReferenceValue, ReferenceValue];
    const result = new Float64Array(sizeOf(shape));
    const length = sizeOf(shape.slice(1));
    checked('scatterAddRows', indices, rows).forEach((row, i) => {
      for (let j = 0; j < length; j++) result[row * length + j]! += updates.data[i * length + j]!;
    });
    return result;
  },
  takeAlongAxis: ({ attributes: { axis } }, inputs) => {
    const [x, indices] = inputs as [ReferenceValue, ReferenceValue];
    return alongPlaces('takeAlongAxis', indices, axis, x.shape[axis]!).map((place) => x.data[place]!);
  },
  scatterAddAlongAxis: ({ shape, attributes: { axis, size } }, inputs) => {
    const [indices, updates] = inputs as [ReferenceValue, ReferenceValue];
    const result = new Float64Array(sizeOf(shape));
    alongPlaces('scatterAddAlongAxis', indices, axis, size).forEach((place, i) => {
      result[place]! += updates.data[i]!;
    });
    return result;
  },
  updateSlice: ({ attributes: { axis } }, inputs) => {
    const [x, update, start] = inputs as [ReferenceValue, ReferenceValue, ReferenceValue];
    const result = x.data.slice();
    const first = start.data[0]!;
    writeSlice('reference engine: updateSlice', { data: result, shape: x.shape }, update, first, axis);
    return result;
  },
} satisfies Partial<ReferenceLowerings>;
