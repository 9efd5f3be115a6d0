import type { TokenInput } from '../llama/input.js';

/** Scores of each row's next token. They can be read until the session is asked for something else. */
export interface Logits {
  /** The token of the highest score, the first of equals: [batch]. The scores stay where they are. */
  likeliest(): Promise<Int32Array>;
  /** [batch · vocabSize], row by row, for the caller to change. */
  values(): Promise<Float32Array>;
}

/**
 * A batch of sequences that a model is writing, and what it remembers of them. All that generation knows of a model.
 *
 * Calls follow each other: {@link prefill} first and once, {@link close} last.
 */
export interface DecoderSession {
  /**
   * Reads the prompts, which are padded on the left or on the right.
   *
   * @returns of each prompt's next token
   */
  prefill(prompt: TokenInput): Promise<Logits>;
  /** Reads one token per row, [batch]. */
  step(tokens: Int32Array): Promise<Logits>;
  /** Row i goes on from what row `rows[i]` has read. Rows may repeat. */
  reorder(rows: Int32Array): Promise<void>;
  /** Makes `times` rows of each, beside each other. */
  expand(times: number): Promise<void>;
  /** Gives back the memory. */
  close(): void;
}

/** Row numbers with each repeated: 0, 0, 1, 1 … for 2 `times`. */
export function repeatedRows(rows: number, times: number): Int32Array {
  return Int32Array.from({ length: rows * times }, (_, index) => Math.floor(index / times));
}

/** Reads prompts and makes `copies` rows of each. */
export async function prefillCopies(session: DecoderSession, prompt: TokenInput, copies: number): Promise<Logits> {
  const logits = await session.prefill(prompt);
  if (copies === 1) return logits;
  const [likeliest, values] = await Promise.all([logits.likeliest(), logits.values()]);
  await session.expand(copies);
  const order = repeatedRows(likeliest.length, copies);
  const vocabSize = values.length / likeliest.length;
  return {
    likeliest: async () => order.map((row) => likeliest[row]!),
    async values() {
      const all = new Float32Array(values.length * copies);
      order.forEach((row, index) => {
        all.set(values.subarray(row * vocabSize, (row + 1) * vocabSize), index * vocabSize);
      });
      return all;
    },
  };
}
