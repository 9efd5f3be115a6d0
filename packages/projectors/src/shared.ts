import {
  add,
  broadcastTo,
  concat,
  type Initializer,
  initializers,
  LayerNorm,
  Parameter,
  ShapeError,
  type StateEntry,
  type Tensor,
} from '@ocelli/core-tensor';

/** How weights of all projectors start: N(0, deviation²); biases start at 0. */
export const weightStart = (deviation: number): Initializer => initializers.normal(0, deviation);

/** How learned tokens and position tables start. The bounds are values, not deviations, as in the official code. */
export const tableStart = (deviation: number): Initializer =>
  initializers.truncatedNormal({ std: deviation, a: -2, b: 2 });

interface InputConfig {
  readonly visionWidth: number;
  readonly inputTokens?: number | undefined;
  readonly prenorm?: boolean;
  readonly positionEmbedding: boolean;
}

/** The norm in front of everything, where configured. */
export function createPrenorm({ prenorm, visionWidth }: InputConfig): LayerNorm | undefined {
  return prenorm ? new LayerNorm(visionWidth, 1e-6) : undefined;
}

/** Learned positions of the features, [1, inputTokens, visionWidth], where configured. */
export function createPositions({ positionEmbedding, inputTokens = 0, visionWidth }: InputConfig): Parameter | undefined {
  // The official deviation is fixed here, whatever that of the weights.
  return positionEmbedding ? new Parameter([1, inputTokens, visionWidth], { initializer: tableStart(0.02) }) : undefined;
}

/** Learned tokens behind those of the image, [1, endTokens, languageWidth], where configured. */
export function createEndTokens(config: {
  readonly endTokens: number;
  readonly languageWidth: number;
  readonly initializerRange: number;
}): Parameter | undefined {
  const { endTokens, languageWidth, initializerRange } = config;
  return endTokens > 0
    ? new Parameter([1, endTokens, languageWidth], { initializer: tableStart(initializerRange) })
    : undefined;
}

/**
 * Checks features, normalises them, adds their positions, in this order.
 * features [batch, tokens, visionWidth] → same
 */
export function prepareFeatures(
  features: Tensor,
  { visionWidth, inputTokens }: InputConfig,
  { prenorm, positions }: { readonly prenorm?: LayerNorm | undefined; readonly positions: Parameter | undefined },
): Tensor {
  const [, tokens, width] = features.shape;
  const fits = features.shape.length === 3 && width === visionWidth && (tokens === inputTokens || !inputTokens);
  if (!fits) {
    throw new ShapeError({
      operation: 'projector',
      expected: `features [batch, ${inputTokens ?? 'tokens'}, ${visionWidth}]`,
      received: [features.shape],
      remedy: 'Drop the class token, and check visionWidth and inputTokens of the configuration.',
    });
  }
  const normalized = prenorm ? prenorm.forward(features) : features;
  return positions ? add(normalized, positions) : normalized;
}

/** tokens [batch, m, width] and endTokens [1, n, width] → [batch, m + n, width] */
export function appendEndTokens(tokens: Tensor, endTokens: Tensor | undefined): Tensor {
  if (!endTokens) return tokens;
  const [, count, width] = endTokens.shape as [number, number, number];
  return concat([tokens, broadcastTo(endTokens, [tokens.shape[0]!, count, width])], 1);
}

/**
 * The state of a projector, taken from a checkpoint of Honeybee's first release, whose position tables had a row for
 * the class token in front: a table `pos_emb` with exactly one row more than the projector's loses its first row.
 *
 * @param prefix of the projector's names in the state, with its dot. Default: none.
 */
export function withoutClassPosition(
  state: Readonly<Record<string, StateEntry>>,
  positions: Tensor | undefined,
  prefix = '',
): Readonly<Record<string, StateEntry>> {
  const name = `${prefix}pos_emb`;
  const entry = state[name];
  const [, rows = 0, width = 0] = positions?.shape ?? [];
  if (!entry || !positions || entry.shape[1] !== rows + 1 || entry.shape[2] !== width) return state;
  return { ...state, [name]: { shape: positions.shape, data: entry.data.slice(width) } };
}

/** Side of a square grid of so many features. */
export function squareSide(operation: string, tokens: number): number {
  const side = Math.round(Math.sqrt(tokens));
  if (side ** 2 !== tokens) {
    throw new ShapeError({
      operation,
      expected: 'a square number of features',
      received: String(tokens),
      remedy: 'Drop the class token, and use square images.',
    });
  }
  return side;
}
