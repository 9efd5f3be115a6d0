import { ShapeError } from '@ocelli/core-tensor';
import type { ReadLine } from '../verbalization/findings.js';
import { strongest } from './scores.js';

/**
 * The text of a line from its probabilities step by step, read greedily (connectionist temporal classification, Graves et
 * al. 2006): the likeliest symbol of each step, repeated ones once, without blanks, which are symbol 0. Its confidence is
 * the mean probability of the steps that count, as PaddleOCR's; 0 where there is none.
 *
 * @param probabilities [steps, symbols]
 * @param alphabet characters of the symbols from 1 on
 * @throws ShapeError if the probabilities are not of one symbol more than the alphabet
 */
export function decodeCtc(probabilities: Float32Array, alphabet: readonly string[]): ReadLine {
  const symbols = alphabet.length + 1;
  if (probabilities.length % symbols !== 0) {
    throw new ShapeError({
      operation: 'decodeCtc',
      expected: `probabilities [steps, ${symbols}], of the blank and ${alphabet.length} characters`,
      received: [[probabilities.length]],
      remedy: "Give the alphabet of the model; PaddleOCR's end with a space that its files do not list.",
    });
  }
  let text = '';
  let total = 0;
  let count = 0;
  let before = 0;
  for (let start = 0; start < probabilities.length; start += symbols) {
    const step = probabilities.subarray(start, start + symbols);
    const symbol = strongest(step);
    if (symbol !== 0 && symbol !== before) {
      text += alphabet[symbol - 1]!;
      total += step[symbol]!;
      count++;
    }
    before = symbol;
  }
  return { text, confidence: count === 0 ? 0 : total / count };
}

/** The alphabet of a file that lists a character a line, as PaddleOCR's `ppocr_keys_v1.txt`, and a space behind them. */
export function readAlphabet(text: string): string[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return [...lines, ' '];
}
