import { byteSize } from '../../../dtype.js';
import { type Shape, sizeOf, stridesOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
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
import { type CudaLowering, nothing, type PlannedLaunch } from './lowered.js';

/** An axis of the result: how long it is, and the distances of its places in both tensors. */
interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

type Node = Parameters<CudaLowering<'transpose'>>[0];

/** Edge of a tile. */
const tile = 32;

/** Axes of the result without those of one place, neighbours that stay neighbours joined. */
export function transposedAxes(shape: Shape, permutation: readonly number[]): Axis[] {
  const strides = stridesOf(shape);
  const sizes = permutation.map((axis) => shape[axis]!);
  const targets = stridesOf(sizes);
  const axes: Axis[] = [];
  permutation.forEach((axis, place) => {
    const next = { size: sizes[place]!, from: strides[axis]!, to: targets[place]! };
    if (next.size === 1) return;
    const last = axes.at(-1);
    if (last && last.from === next.from * next.size) axes[axes.length - 1] = { ...next, size: last.size * next.size };
    else axes.push(next);
  });
  return axes;
}

/**
 * Rows that stay rows are copied 16 bytes at a time; else squares of 32 × 32 pass through shared memory, so that both tensors
 * are read and written along their memory.
 */
export const transpose: CudaLowering<'transpose'> = (node) => {
  if (sizeOf(node.shape) === 0) return nothing;
  const axes = transposedAxes(node.inputs[0]!.shape, node.attributes.permutation);
  return { launches: [(axes.at(-1)?.from ?? 1) === 1 ? rows(node, axes) : squares(node, axes)], temporaries: [] };
};

/** The sum of an index's places along axes, each multiplied with its stride. */
function placeText(index: string, axes: readonly Axis[], stride: (axis: Axis) => number, type: string): string {
  const terms: string[] = [];
  let inner = 1;
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { size } = axes[axis]!;
    const outer = inner === 1 ? index : `${index} / ${integer(inner)}`;
    const place = axis === 0 ? outer : `${outer} % ${size}`;
    terms.push(`(${type})(${place}) * ${integer(stride(axes[axis]!))}`);
    inner *= size;
  }
  return terms.length > 0 ? terms.join(' + ') : '0';
}

function rows({ inputs: [x], shape, dtype }: Node, axes: readonly Axis[]): PlannedLaunch {
  const bytes = byteSize(dtype);
  const whole = x!.dtype === dtype;
  const length = axes.at(-1)?.size ?? 1;
  const word = widestWord([length * bytes]);
  const perWord = whole ? word.bytes / bytes : 1;
  const words: Axis[] = [...axes.slice(0, -1), { size: length / perWord, from: 1, to: 1 }];
  const scaled = words.map((axis, place) =>
    place === words.length - 1 ? axis : { ...axis, from: axis.from / perWord, to: axis.to / perWord },
  );
  const total = sizeOf(shape) / perWord;
  const type = indexType(sizeOf(shape));
  const body = `
${eachOf(total)}
const ${type} from = ${placeText('i', scaled, ({ from }) => from, type)};
out[i] = ${whole ? 'x[from]' : converted(x!.dtype, dtype, 'x[from]')};`;
  return launch({
    name: 'transpose_rows',
    helpers: [wordTypes],
    parameters: [
      reads(0, whole ? word.type : cTypes[x!.dtype], 'x'),
      writes('out', whole ? word.type : cTypes[dtype], 'out'),
    ],
    body,
    ...spread(total),
  });
}

function squares({ inputs: [x], shape, dtype }: Node, axes: readonly Axis[]): PlannedLaunch {
  const inside = axes.find(({ from }) => from === 1)!;
  const across = axes.at(-1)!;
  const others = axes.filter((axis) => axis !== inside && axis !== across);
  const type = indexType(sizeOf(shape));
  const squaresAcross = Math.ceil(across.size / tile);
  const count = others.reduce((product, { size }) => product * size, 1);
  const T = cTypes[dtype];
  const body = `
__shared__ ${T} square[${tile}][${tile + 1}];
const int other = blockIdx.y + blockIdx.z * 32768;
if (other >= ${count}) return;
const int column = threadIdx.x % ${tile}, row = threadIdx.x / ${tile};
const int firstAcross = blockIdx.x % ${squaresAcross} * ${tile}, firstInside = blockIdx.x / ${squaresAcross} * ${tile};
const ${type} from = ${placeText('other', others, ({ from }) => from, type)}, to = ${placeText('other', others, ({ to }) => to, type)};
#pragma unroll
for (int each = row; each < ${tile}; each += 8) {
  const int a = firstAcross + each, b = firstInside + column;
  if (a < ${across.size} && b < ${inside.size}) square[each][column] = ${converted(x!.dtype, dtype, `x[from + (${type})a * ${integer(across.from)} + b]`)};
}
__syncthreads();
#pragma unroll
for (int each = row; each < ${tile}; each += 8) {
  const int a = firstAcross + column, b = firstInside + each;
  if (a < ${across.size} && b < ${inside.size}) out[to + (${type})b * ${integer(inside.to)} + a] = square[column][each];
}`;
  return launch({
    name: 'transpose_squares',
    parameters: [reads(0, cTypes[x!.dtype], 'x'), writes('out', T, 'out')],
    body,
    blocks: [squaresAcross * Math.ceil(inside.size / tile), Math.min(count, 32768), Math.ceil(count / 32768)],
    threads: tile * 8,
  });
}
