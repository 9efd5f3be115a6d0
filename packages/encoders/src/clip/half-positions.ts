import { convert, type FloatTensor, ShapeError } from '@ocelli/core-tensor';

/**
 * MoAI's position table for larger images (`build_mlp.py`, `resize_pos`): bicubic between the learned positions, then
 * rounded to half precision; the class position stays as it is. Rounding turns a difference in the last bit into a
 * whole step of half precision, so the operations are those of PyTorch's kernel on processors with fused multiply-add,
 * one by one: the result is the official one bit for bit.
 * positions [1 + g², width] → [1 + grid², width].
 *
 * @throws ShapeError if the table is not that of a square grid
 */
export function halfPrecisionPositions({ shape, data }: FloatTensor, grid: number): FloatTensor {
  const [count = 0, width = 0] = shape;
  const before = Math.round(Math.sqrt(count - 1));
  if (shape.length !== 2 || before < 1 || before ** 2 !== count - 1) {
    throw new ShapeError({
      operation: 'halfPrecisionPositions',
      expected: 'positions [1 + grid², width]',
      received: [shape],
    });
  }
  const taps = Array.from({ length: grid }, (_, index) => tapsOf(index, before, grid));
  const result = new Float32Array((1 + grid ** 2) * width);
  const learned = data.subarray(width);
  for (const [row, vertical] of taps.entries()) {
    for (const [column, horizontal] of taps.entries()) {
      for (let channel = 0; channel < width; channel++) {
        const inRow = (line: number) =>
          weightedSum(
            horizontal.weights,
            (tap) => learned[(line * before + horizontal.places[tap]!) * width + channel]!,
          );
        result[(1 + row * grid + column) * width + channel] = weightedSum(vertical.weights, (tap) =>
          inRow(vertical.places[tap]!),
        );
      }
    }
  }
  const halves = convert(convert(result, 'float32', 'float16'), 'float16', 'float32');
  halves.set(data.subarray(0, width));
  return { shape: [1 + grid ** 2, width], data: halves };
}

/** Four positions that a new one lies among, and their weights. */
interface Taps {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

const { fround } = Math;

/** a·b + c, rounded once. */
function fused(a: number, b: number, c: number): number {
  return fround(a * b + c);
}

function tapsOf(index: number, before: number, after: number): Taps {
  const place = fround(before / after) * (index + 0.5) - 0.5; // in double precision, the ratio excepted
  const left = Math.floor(place);
  const right = fround(place - left);
  const remaining = fround(1 - right);
  return {
    places: [-1, 0, 1, 2].map((offset) => Math.min(before - 1, Math.max(0, left + offset))),
    weights: [outer(fround(right + 1)), inner(right), inner(remaining), outer(fround(remaining + 1))],
  };
}

/** Keys' cubic kernel with a = −0.75, at distances up to 1. */
function inner(x: number): number {
  return fround(fround(fround(fused(1.25, x, -2.25) * x) * x) + 1);
}

/** The same at distances from 1 to 2. */
function outer(x: number): number {
  return fround(fround(fused(fused(-0.75, x, 3.75), x, -6) * x) + 3);
}

function weightedSum([a, b, c, d]: readonly number[], value: (tap: number) => number): number {
  const first = fused(value(0), a!, fround(value(1) * b!));
  return fused(value(3), d!, fused(value(2), c!, first));
}
