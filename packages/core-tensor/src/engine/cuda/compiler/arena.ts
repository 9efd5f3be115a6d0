/** A value that needs memory from one step to another, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** What every value's place is a multiple of: the widest loads, and the library of products, ask for no more. */
const alignment = 256;

/**
 * Places in one block of memory such that values which live at the same time do not overlap. Large values are placed
 * first, each in the lowest gap that holds it.
 */
export function planArena(lifetimes: readonly Lifetime[]): { readonly offsets: number[]; readonly bytes: number } {
  const offsets = lifetimes.map(() => 0);
  const order = lifetimes.map((_, index) => index).sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b);
  const placed: number[] = [];
  let bytes = 0;
  for (const index of order) {
    const { first, last, bytes: own } = lifetimes[index]!;
    const size = Math.ceil(own / alignment) * alignment;
    let offset = 0;
    // Those placed are in the order of their offsets.
    for (const other of placed) {
      const { first: start, last: end, bytes: length } = lifetimes[other]!;
      if (end < first || last < start) continue;
      if (offsets[other]! - offset >= size) break;
      offset = Math.max(offset, offsets[other]! + Math.ceil(length / alignment) * alignment);
    }
    offsets[index] = offset;
    const position = placed.findIndex((other) => offsets[other]! > offset);
    placed.splice(position < 0 ? placed.length : position, 0, index);
    bytes = Math.max(bytes, offset + size);
  }
  return { offsets, bytes };
}
