import type { DecoderSession, Logits } from '../../src/index.js';

/** A session whose scores are a function of what its rows have read, and which remembers what it was asked for. */
export function scriptedSession(
  prompts: readonly (readonly number[])[],
  scoresAfter: (ids: readonly number[]) => readonly number[],
): DecoderSession & { readonly read: number[][]; readonly isClosed: boolean } {
  let rows = prompts.map((ids) => [...ids]);
  const read: number[][] = [];
  let isClosed = false;
  const logits = (): Logits => {
    const values = rows.map(scoresAfter);
    return {
      likeliest: async () => Int32Array.from(values, (row) => row.indexOf(Math.max(...row))),
      values: async () => Float32Array.from(values.flat()),
    };
  };
  const reorder = async (order: Int32Array) => {
    rows = Array.from(order, (row) => [...rows[row]!]);
  };
  return {
    read,
    get isClosed() {
      return isClosed;
    },
    async prefill() {
      return logits();
    },
    async step(tokens) {
      read.push([...tokens]);
      rows = rows.map((row, index) => [...row, tokens[index]!]);
      return logits();
    },
    reorder,
    expand: (times) => reorder(Int32Array.from({ length: rows.length * times }, (_, row) => Math.floor(row / times))),
    close() {
      isClosed = true;
    },
  };
}
