import { ConfigError, zeros } from '@ocelli/core-tensor';
import { createProjector, type Grid, type Projector, type ProjectorConfigInput, projectors } from '@ocelli/projectors';
import type { FeatureShape } from './vision.js';

type Sizes = 'visionWidth' | 'languageWidth' | 'inputTokens';

type WithoutSizes<Config> = Config extends unknown
  ? Omit<Config, Sizes> & Partial<Pick<Config, Extract<keyof Config, Sizes>>>
  : never;

/**
 * Structure of a projector in a model: `visionWidth`, `languageWidth` and, where it needs one, `inputTokens` may be left
 * out, as they follow from encoder and language model.
 */
export type FittedProjectorConfigInput = WithoutSizes<ProjectorConfigInput>;

/** What a projector stands between. */
export interface ProjectorPlace {
  /** The model, as errors call it. */
  readonly operation: string;
  /** What it gets; of features that may be of any number, their width alone. */
  readonly features: FeatureShape | Pick<FeatureShape, 'width'>;
  /** Width of the tokens that it makes. */
  readonly languageWidth: number;
}

/**
 * The projector of a model, with fresh weights.
 *
 * @throws ConfigError if its configuration is invalid, its widths are others than those around it, or it takes maps and
 *   the features are none
 * @throws ShapeError if it is made for another number of features
 */
export function createFittingProjector(config: FittedProjectorConfigInput, place: ProjectorPlace): Projector {
  const { operation, features, languageWidth } = place;
  const { width } = features;
  if ('grid' in features) requireMap(operation, config, features.grid);
  const projector: Projector = createProjector({
    visionWidth: width,
    languageWidth,
    ...('tokens' in features && needsTokens(config) && { inputTokens: features.tokens }),
    ...config,
  } as ProjectorConfigInput);
  const { visionWidth, languageWidth: tokenWidth } = projector.config;
  requireWidth(operation, `visionWidth of ${width}, the width of the features of the images`, [visionWidth, width]);
  requireWidth(operation, `languageWidth of ${languageWidth}, the width of the language model`, [
    tokenWidth,
    languageWidth,
  ]);
  // Recorded, not computed: finds a projector that does not take the encoder's features now, not in the first batch.
  if ('tokens' in features) projector.forward(zeros([1, features.tokens, width]));
  return projector;
}

/** Whether the tokens of an image are a square map as its features are, so that rows of a grid of tiles can end. */
export function tokensAreMap({ config }: Projector, [rows, columns]: Grid): boolean {
  const { places } = projectors[config.type];
  return config.endTokens === 0 && (places === 'square' || (places === 'each' && rows === columns));
}

/**
 * Refuses a newline token behind the rows of a grid where tokens have no rows.
 *
 * @throws ConfigError
 */
export function requireRows(operation: string, projector: Projector, grid: Grid): void {
  if (tokensAreMap(projector, grid)) return;
  const { type, endTokens } = projector.config;
  throw new ConfigError({
    operation: `${operation} (imageNewline)`,
    expected: 'visual tokens that are a square map, whose rows newlines end',
    received: `those of a ${type} with ${endTokens} end tokens over features of ${grid.join(' × ')}`,
    remedy: 'Set imageNewline to false, or take another projector or fusion.',
  });
}

/** What a configuration says of its fields with defaults, if its type is known. */
function entryOf({ type }: FittedProjectorConfigInput) {
  return Object.hasOwn(projectors, type) ? projectors[type] : undefined;
}

/** Position tables and reference points are made for a number of features. */
function needsTokens(config: FittedProjectorConfigInput): boolean {
  const { positionEmbedding = entryOf(config)?.defaults.positionEmbedding } = config;
  return positionEmbedding === true || config.type === 'd-abstractor';
}

function requireMap(operation: string, config: FittedProjectorConfigInput, grid: Grid): void {
  if (entryOf(config)?.places !== 'square' || grid[0] === grid[1]) return;
  throw new ConfigError({
    operation,
    expected: `features that are a square map, as a ${config.type} takes them`,
    received: `features of ${grid.join(' × ')}`,
    remedy: 'Take linear, mlp or resampler, or a fusion that keeps maps, such as channel-concat.',
  });
}

function requireWidth(operation: string, expected: string, [received, wanted]: readonly [number, number]): void {
  if (received === wanted) return;
  throw new ConfigError({ operation, expected: `projector.${expected}`, received: String(received) });
}
