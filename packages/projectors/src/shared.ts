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

interface InputConfig {
  readonly visionWidth: number;
  readonly inputTokens?: number | undefined;
  readonly prenorm?: boolean | undefined;
  readonly positionEmbedding: boolean;
}

interface EndConfig {
  readonly languageWidth: number;
  readonly endTokens: number;
  readonly initializerRange: number;
}

/** How learned tokens and tables start. The cuts are values, not deviations, as in the official code. */
function tableStart(deviation: number): Initializer {
  return initializers.truncatedNormal({ std: deviation, a: -2, b: 2 });
}

/** Learned positions of features, [1, tokens, width], where configured. */
export function createPositions(
  { positionEmbedding, inputTokens = 0, visionWidth }: InputConfig,
  width = visionWidth,
): Parameter | undefined {
  // The official deviation is fixed here, whatever that of the weights.
  return positionEmbedding ? new Parameter([1, inputTokens, width], { initializer: tableStart(0.02) }) : undefined;
}

/** Learned tokens behind those of the image, [1, endTokens, languageWidth], where configured. */
export function createEndTokens({ endTokens, languageWidth, initializerRange }: EndConfig): Parameter | undefined {
  const initializer = tableStart(initializerRange);
  return endTokens > 0 ? new Parameter([1, endTokens, languageWidth], { initializer }) : undefined;
}

/** What linear layers, convolutions and C-Abstractor have around their networks, under its official names. */
export interface Surroundings {
  readonly eos_tokens: Parameter | undefined;
  readonly pos_emb: Parameter | undefined;
  /** The norm in front of everything. */
  readonly prenorm: LayerNorm | undefined;
}

/** What of it is configured, with fresh weights. */
export function createSurroundings(config: InputConfig & EndConfig): Surroundings {
  return {
    eos_tokens: createEndTokens(config),
    pos_emb: createPositions(config),
    prenorm: config.prenorm ? new LayerNorm(config.visionWidth, 1e-6) : undefined,
  };
}

/**
 * Refuses features that a projector is not made for.
 *
 * @throws ShapeError unless they are [batch, inputTokens (any number, if not configured), visionWidth]
 */
export function requireFeatures(operation: string, features: Tensor, config: InputConfig): void {
  const { visionWidth, inputTokens } = config;
  const [, tokens, width] = features.shape;
  const fits = width === visionWidth && (inputTokens === undefined || tokens === inputTokens);
  if (features.shape.length === 3 && fits) return;
  throw new ShapeError({
    operation,
    expected: `features [batch, ${inputTokens ?? 'tokens'}, ${visionWidth}]`,
    received: [features.shape],
    remedy: 'Drop the class token, and check visionWidth and inputTokens.',
  });
}

/**
 * Checks features, normalises them and adds their positions, in this order.
 * features [batch, tokens, visionWidth] → same
 */
export function prepareFeatures(
  features: Tensor,
  projector: Pick<Surroundings, 'pos_emb'> & Partial<Surroundings> & { readonly config: InputConfig },
): Tensor {
  const { config, prenorm, pos_emb: positions } = projector;
  requireFeatures(projector.constructor.name, features, config);
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
 * The state of a projector without the row for the class token that position tables had in front in Honeybee's first
 * release: a table `pos_emb` with exactly one row more than the projector's loses its first row.
 *
 * @param positions the projector's own table
 * @param prefix what stands before the projector's names in the state, dot included. Default: nothing.
 */
export function withoutClassPosition(
  state: Readonly<Record<string, StateEntry>>,
  positions: Tensor | undefined,
  prefix = '',
): Readonly<Record<string, StateEntry>> {
  const name = `${prefix}pos_emb`;
  const entry = state[name];
  const [, rows = 0, width = 0] = positions?.shape ?? [];
  if (!positions || !entry || entry.shape[1] !== rows + 1 || entry.shape[2] !== width) return state;
  return { ...state, [name]: { shape: positions.shape, data: entry.data.slice(width) } };
}
