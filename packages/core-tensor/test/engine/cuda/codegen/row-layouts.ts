import type { AttentionProblem, RowLayout } from '../../../../src/engine/cuda/codegen/attention.js';
import type { HostTensor } from '../../../support/host-tensor.js';

/** Layouts of [batch, rows, heads + 1, width], whose first head is something else; of [batch, rows, heads, width] for keys. */
export function productLayouts({ heads, keyHeads, queries, keys, width }: Omit<AttentionProblem, 'dtype' | 'scale'>) {
  const layout = (count: number, rows: number, spare: number): RowLayout => ({
    offset: spare * width,
    batch: rows * (count + spare) * width,
    head: width,
    row: (count + spare) * width,
  });
  return {
    q: layout(heads, queries, 1),
    k: layout(keyHeads, keys, 0),
    v: layout(keyHeads, keys, 1),
    out: layout(heads, queries, 1),
  };
}

/** A tensor [batch, heads, rows, width] in a layout of {@link productLayouts}; everything else is NaN. */
export function laidOut(host: HostTensor, layout: RowLayout | undefined): HostTensor {
  if (!layout) return host;
  const [batch, , rows, width] = host.shape as [number, number, number, number];
  const data = host.data.slice().constructor as new (length: number) => Uint16Array;
  const all = new data(batch * layout.batch).fill(host.dtype === 'float32' ? Number.NaN : 0xffff);
  eachRow(host, layout, (from, to) => all.set(host.data.subarray(from, from + width) as Uint16Array, to));
  return { ...host, shape: [batch, rows, layout.row / width, width], data: all as HostTensor['data'] };
}

/** The opposite of {@link laidOut}. */
export function gathered(
  { data, dtype }: HostTensor,
  shape: readonly number[],
  layout: RowLayout | undefined,
): HostTensor {
  if (!layout) return { data, dtype, shape };
  const all = data.slice(
    0,
    shape.reduce((product, size) => product * size, 1),
  ) as Uint16Array;
  eachRow({ shape }, layout, (to, from) => all.set(data.subarray(from, from + shape[3]!) as Uint16Array, to));
  return { data: all as HostTensor['data'], dtype, shape };
}

function eachRow(
  { shape }: Pick<HostTensor, 'shape'>,
  layout: RowLayout,
  visit: (dense: number, place: number) => void,
) {
  const [batch, heads, rows, width] = shape as [number, number, number, number];
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let r = 0; r < rows; r++)
        visit(
          ((b * heads + h) * rows + r) * width,
          layout.offset + b * layout.batch + h * layout.head + r * layout.row,
        );
}
