import { z } from 'zod';

/** A size that must be given, unless a default follows. */
export const size = z.int().positive();

/** What every projector starts from. */
export const commonDefaults = { positionEmbedding: false, endTokens: 0, initializerRange: 0.02 } as const;

/** Fields of every projector. */
export const commonFields = {
  /** Width of the vision features. */
  visionWidth: size,
  /** Width of the language model's tokens. */
  languageWidth: size,
  /** Number of features of an image; needed for a position table. Default: any number. */
  inputTokens: size.optional(),
  /** Add a learned position to every feature. */
  positionEmbedding: z.boolean().default(commonDefaults.positionEmbedding),
  /** Learned tokens put behind those of the image. */
  endTokens: z.int().nonnegative().default(commonDefaults.endTokens),
  /** Deviation of the first values of weights and end tokens. */
  initializerRange: z.number().nonnegative().default(commonDefaults.initializerRange),
};

/** Whether a number is the size of a square grid. */
export const isSquare = (count: number): boolean => Number.isInteger(Math.sqrt(count));

/** The number of the cells of a square grid. */
export const square = size.refine(isSquare, 'must be a square number');

interface Positions {
  readonly positionEmbedding: boolean;
  readonly inputTokens?: number | undefined;
}

/** Refuses a position table of unknown length; the arguments of zod's `refine`. */
export const positionsHaveLength: [(config: Positions) => boolean, { path: string[]; message: string }] = [
  ({ positionEmbedding, inputTokens }) => !positionEmbedding || inputTokens !== undefined,
  { path: ['inputTokens'], message: 'is needed for a position table' },
];
