import { add, ConfigError, inverseFrequencies, matmul, mul, type Tensor, tensor } from '@ocelli/core-tensor';

/** Cosines and sines of the angles by which the tokens of a grid are rotated, [rows · columns, head width]. */
export interface RotaryGrid {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Options of {@link rotaryGrid}. */
export interface RotaryGridOptions {
  /** Length of a side in the unit of positions: place t of a side of L tokens is at t / L of it. Default: 16. */
  readonly sequenceLength?: number;
  /** Base of the frequencies. Default: 10000. */
  readonly theta?: number;
}

/**
 * Rotary positions in two dimensions (EVA-02, Fang et al. 2023): the first half of a head's channels turns with the
 * row, the second with the column, each frequency θ^(−2m / (headWidth / 2)) for two neighbouring channels. Any grid
 * spans the positions 0 to `sequenceLength`, so a finer one has smaller steps.
 *
 * Source: `VisionRotaryEmbeddingFast` of EVA-02.
 *
 * @throws ConfigError unless four divides the head width
 */
export function rotaryGrid(
  headWidth: number,
  [rows, columns]: readonly [rows: number, columns: number],
  { sequenceLength = 16, theta = 10000 }: RotaryGridOptions = {},
): RotaryGrid {
  if (!Number.isInteger(headWidth / 4) || headWidth < 4) {
    throw new ConfigError({
      operation: 'rotaryGrid',
      expected: 'a head width that is a multiple of 4: pairs of channels for rows and for columns',
      received: String(headWidth),
    });
  }
  const half = headWidth / 2;
  const frequencies = inverseFrequencies(half, theta);
  const [down, across] = [rows, columns].map((length) => anglesOf(length, frequencies, sequenceLength)) as [
    Float32Array,
    Float32Array,
  ];
  const cos = new Float32Array(rows * columns * headWidth);
  const sin = new Float32Array(cos.length);
  for (let token = 0; token < rows * columns; token++) {
    const [row, column] = [Math.floor(token / columns), token % columns];
    for (let channel = 0; channel < half; channel++) {
      const place = token * headWidth + channel;
      const [byRow, byColumn] = [down[row * half + channel]!, across[column * half + channel]!];
      cos[place] = Math.cos(byRow);
      sin[place] = Math.sin(byRow);
      cos[place + half] = Math.cos(byColumn);
      sin[place + half] = Math.sin(byColumn);
    }
  }
  const shape = [rows * columns, headWidth];
  return { cos: tensor(cos, shape), sin: tensor(sin, shape) };
}

/** Angles of the places of one side, [length, 2 · frequencies], rounded to float32 after each step as in PyTorch. */
function anglesOf(length: number, frequencies: Float32Array, sequenceLength: number): Float32Array {
  const angles = new Float32Array(length * frequencies.length * 2);
  for (let place = 0; place < length; place++) {
    const position = Math.fround(Math.fround(place / length) * sequenceLength);
    frequencies.forEach((frequency, m) => {
      angles.fill(position * frequency, (place * frequencies.length + m) * 2, (place * frequencies.length + m + 1) * 2);
    });
  }
  return angles;
}

/**
 * Rotates neighbouring channels as pairs: (x₀, x₁) → (x₀·cos − x₁·sin, x₁·cos + x₀·sin).
 * x [batch, heads, tokens, head width] → same. Not the half-split pairs of `applyRotary`.
 */
export function rotatePairs(x: Tensor, { cos, sin }: RotaryGrid): Tensor {
  return add(mul(x, cos), mul(matmul(x, quarterTurn(x.shape.at(-1)!)), sin));
}

/**
 * The matrix that takes (x₀, x₁) to (−x₁, x₀) in every pair. As a product the exchange is one pass over x; strided
 * slices and their gradients would be six.
 */
function quarterTurn(width: number): Tensor {
  const matrix = new Float32Array(width * width);
  for (let pair = 0; pair < width; pair += 2) {
    matrix[(pair + 1) * width + pair] = -1;
    matrix[pair * width + pair + 1] = 1;
  }
  return tensor(matrix, [width, width]);
}
