import { type FloatTensor, sizeOf, type WeightLayout } from '@ocelli/core-tensor';

/**
 * Packed query, key and value projections of grouped-query attention, one group after another: rows
 * [kvHeads, group + 2, headDim] ↔ queries [kvHeads, group, headDim], keys [kvHeads, headDim], values [kvHeads, headDim].
 */
export function groupedHeads(kvHeads: number, group: number, headDim: number): WeightLayout {
  const heads = [group, 1, 1];
  const width = (shape: readonly number[]) => sizeOf(shape.slice(1));
  return {
    shape: ([queries]) => [kvHeads * (group + 2) * headDim, ...queries!.slice(1)],
    read(stored, shapes) {
      const parts = shapes.map((shape) => ({ shape, data: new Float32Array(sizeOf(shape)) }));
      copyHeads(stored, parts, kvHeads, heads, headDim * width(stored.shape), 'read');
      return parts;
    },
    write(parts) {
      const [queries] = parts as readonly [FloatTensor, ...FloatTensor[]];
      const shape = [kvHeads * (group + 2) * headDim, ...queries.shape.slice(1)];
      const stored = { shape, data: new Float32Array(sizeOf(shape)) };
      copyHeads(stored, parts, kvHeads, heads, headDim * width(shape), 'write');
      return stored;
    },
  };
}

/** Copies heads of `size` elements between the packed tensor and its parts. */
function copyHeads(
  stored: FloatTensor,
  parts: readonly FloatTensor[],
  kvHeads: number,
  heads: readonly number[],
  size: number,
  direction: 'read' | 'write',
): void {
  let at = 0;
  for (let head = 0; head < kvHeads; head++) {
    for (const [index, count] of heads.entries()) {
      const { data } = parts[index]!;
      const length = count * size;
      if (direction === 'read') data.set(stored.data.subarray(at, at + length), head * length);
      else stored.data.set(data.subarray(head * length, (head + 1) * length), at);
      at += length;
    }
  }
}

/**
 * Query or key projection for rotary positions that pair neighbouring rows of a head, ↔ for those that pair its halves:
 * rows [heads, headDim / 2, 2] ↔ [heads, 2, headDim / 2].
 */
export function interleavedPairs(headDim: number): WeightLayout {
  const permuted = ({ shape, data }: FloatTensor, toHalves: boolean): FloatTensor => {
    const width = data.length / shape[0]!;
    const result = new Float32Array(data.length);
    for (let row = 0; row < shape[0]!; row++) {
      const inHead = row % headDim;
      const half = row - inHead + (inHead % 2) * (headDim / 2) + (inHead >> 1);
      const [from, to] = toHalves ? [row, half] : [half, row];
      result.set(data.subarray(from * width, (from + 1) * width), to * width);
    }
    return { shape, data: result };
  };
  return {
    shape: ([shape]) => shape!,
    read: (stored) => [permuted(stored, true)],
    write: ([part]) => permuted(part!, false),
  };
}
