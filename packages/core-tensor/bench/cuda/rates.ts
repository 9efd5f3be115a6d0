import {
  add,
  cast,
  compile,
  dispose,
  materialize,
  matmul,
  randomKey,
  randomUniform,
  type Shape,
  slice,
  streamKey,
  sub,
  type Tensor,
} from '../../src/index.js';
import { medians, sideOf } from './timing.js';

/** What the card does at best, measured through the engine. */
export interface Rates {
  /** Floating-point operations a second of a large product of bfloat16. */
  readonly matmul: number;
  /** Bytes a second of a large copy, those read and those written. */
  readonly bandwidth: number;
}

/** Measures a product and a copy of random numbers: zeros take less power, and so less time. */
export async function measureRates(tiny: boolean): Promise<Rates> {
  const repetition = tiny ? { rounds: 1, steps: 1 } : { rounds: 5, steps: 20 };
  const side = tiny ? 64 : 8192;
  const operands = [0, 1].map((seed) => cast(sub(random(seed, [side, side]), 0.5), 'bfloat16'));
  const [a, b] = operands as [Tensor, Tensor];
  await materialize(operands);
  const multiply = compile((x: Tensor, y: Tensor) => withCorner(matmul(x, y)));
  const [product] = await medians([sideOf(() => multiply(a, b))], repetition);
  dispose(operands);

  const count = tiny ? 2 ** 12 : 2 ** 28;
  const source = random(2, [count / 1024, 1024]);
  await materialize([source]);
  const copy = compile((x: Tensor) => withCorner(add(x, 1)));
  const [copying] = await medians([sideOf(() => copy(source))], repetition);
  dispose([source]);
  return {
    matmul: (2 * side ** 3) / (product! / 1e3),
    bandwidth: (2 * count * Float32Array.BYTES_PER_ELEMENT) / (copying! / 1e3),
  };
}

function random(seed: number, shape: Shape): Tensor {
  return randomUniform(streamKey(randomKey(seed)), shape);
}

/** A matrix, and its first element, which is quick to read. */
function withCorner(x: Tensor): Tensor[] {
  return [x, slice(x, [0, 0], [1, 1])];
}
