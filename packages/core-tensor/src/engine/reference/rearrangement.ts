import { sizeOf, stridesOf } from '../../graph/shape.js';
import { aroundAxis, broadcastPlaces, pick, placesOf } from './layout.js';
import type { ReferenceLowerings } from './value.js';

export const rearrangementLowerings = {
  reshape: (_, [x]) => x!.data,
  transpose: ({ shape, attributes: { permutation } }, [x]) => {
    const strides = stridesOf(x!.shape);
    return pick(
      x!.data,
      placesOf(
        shape,
        permutation.map((axis) => strides[axis]!),
      ),
    );
  },
  broadcastTo: ({ shape }, [x]) => pick(x!.data, broadcastPlaces(x!.shape, shape)),
  slice: ({ shape, attributes: { starts, steps } }, [x]) => {
    const strides = stridesOf(x!.shape);
    const start = starts.reduce((sum, each, axis) => sum + each * strides[axis]!, 0);
    return pick(
      x!.data,
      placesOf(
        shape,
        strides.map((stride, axis) => stride * steps[axis]!),
        start,
      ),
    );
  },
  pad: ({ shape, attributes: { before, value } }, [x]) => {
    const strides = stridesOf(shape);
    const start = before.reduce((sum, each, axis) => sum + each * strides[axis]!, 0);
    const result = new Float64Array(sizeOf(shape)).fill(value);
    placesOf(x!.shape, strides, start).forEach((place, i) => {
      result[place] = x!.data[i]!;
    });
    return result;
  },
  concat: ({ shape, attributes: { axis } }, inputs) => {
    const { outer, size, inner } = aroundAxis(shape, axis);
    const result = new Float64Array(sizeOf(shape));
    let start = 0;
    for (const { data, shape: part } of inputs) {
      const length = part[axis]! * inner;
      for (let i = 0; i < outer; i++) result.set(data.subarray(i * length, (i + 1) * length), i * size * inner + start);
      start += length;
    }
    return result;
  },
} satisfies Partial<ReferenceLowerings>;
