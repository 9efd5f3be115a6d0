import type { BoxCorners } from './box.js';

const number = '-?\\p{Nd}+(?:\\.\\p{Nd}+)?';
const plainBox = new RegExp(`\\[\\s*(${number}),\\s*(${number}),\\s*(${number}),\\s*(${number})\\s*\\]`, 'u');

/**
 * The first four plain decimals in brackets, with commas between, as lmms-eval reads RefCOCO's answers: no exponents, and
 * no number begins with a full stop.
 */
export function parseDecimalBox(answer: string): BoxCorners | undefined {
  const found = plainBox.exec(answer);
  return found ? (found.slice(1).map(Number) as unknown as BoxCorners) : undefined;
}
