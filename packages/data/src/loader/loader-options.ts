import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { IGNORE_LABEL, type SegmentTokenizer } from '../collate/tokenize-segments.js';
import { type ConversationTemplate, getTemplate, type TemplateName } from '../conversation/template.js';
import { firstIssue } from '../data-error.js';
import { type ImageGrid, imageGridSchema } from '../grids/image-grid.js';
import { type ImageProcessor, imageProcessorSchema } from '../image/image-processor.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { LoaderError } from './loader-error.js';

const positive = z.int().positive();

const optionsSchema = z.strictObject({
  tokenizer: z.custom<SegmentTokenizer & Partial<Pick<Tokenizer, 'padTokenId' | 'unknownTokenId'>>>(
    (value) => typeof (value as Tokenizer | undefined)?.encode === 'function',
    'expected a tokenizer',
  ),
  template: z.custom<TemplateName | ConversationTemplate>(
    (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
    'expected the name of a template, or a template',
  ),
  imageProcessor: imageProcessorSchema,
  batchSize: positive,
  visualTokensPerImage: positive,
  grid: imageGridSchema.optional(),
  maximumLength: positive,
  buckets: z.union([positive, z.array(positive).min(1)]).default(64),
  purpose: z.enum(['training', 'generation']).default('training'),
  padding: z.enum(['left', 'right']).optional(),
  padTokenId: z.int().nonnegative().optional(),
  imagesPerBatch: z.int().nonnegative().optional(),
  seed: z.int().nonnegative().default(0),
  shuffle: z.boolean().default(true),
  groupByLength: z.union([z.boolean(), z.strictObject({ accumulation: positive })]).default(false),
  epochs: positive.optional(),
  dropLast: z.boolean().default(true),
  shard: z.strictObject({ index: z.int().nonnegative(), count: positive }).default({ index: 0, count: 1 }),
  workers: positive.max(256).optional(),
  prefetch: positive.max(64).default(2),
  cacheBytes: z
    .number()
    .nonnegative()
    .default(256 * 2 ** 20),
  imageTimeout: positive.max(2 ** 31 - 1).default(120_000),
  brokenImages: z.enum(['error', 'black']).default('error'),
  onBrokenImage: z
    .custom<(error: LoaderError) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/** How a loader makes batches. */
export interface LoaderOptions {
  readonly tokenizer: SegmentTokenizer & Partial<Pick<Tokenizer, 'padTokenId' | 'unknownTokenId'>>;
  readonly template: TemplateName | ConversationTemplate;
  readonly imageProcessor: ImageProcessor;
  /** Samples a batch, of this process. */
  readonly batchSize: number;
  /** Positions that an image takes: what the projector makes of it. With a grid, what it makes of a tile. */
  readonly visualTokensPerImage: number;
  /**
   * Cuts images of any resolution into tiles that a vision tower takes: a batch then has the pixels of all tiles, and
   * its `grid` says how their features become visual tokens. Default: every image is one input.
   */
  readonly grid?: ImageGrid;
  /** Longest sequence, bos and images included. Training samples are cut on the right, prompts are refused. */
  readonly maximumLength: number;
  /** What lengths are padded to. Default: multiples of 64. */
  readonly buckets?: number | readonly number[];
  /** `training` (default), or `generation`: prompts without their last answer, padded on the left. */
  readonly purpose?: 'training' | 'generation';
  /** Overrides the side that `purpose` implies. */
  readonly padding?: 'left' | 'right';
  /** Default: the tokenizer's pad token, else its unknown token, else its end of sequence. */
  readonly padTokenId?: number;
  /** Images (with a grid, tiles) in every batch, blank ones included, so that batches with fewer run the same program. */
  readonly imagesPerBatch?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Whether an epoch has a random order. Default true. A mixture is always random. */
  readonly shuffle?: boolean;
  /**
   * Orders an epoch by {@link groupByLength}: an optimiser step is all images or all text, and its micro-batches are
   * about equally long. `accumulation` is the number of micro-batches a process accumulates for a step, by default 1.
   * The data set has to know its `lengths`. Default false.
   */
  readonly groupByLength?: boolean | { readonly accumulation: number };
  /** Default: without end. A mixture has no epochs. */
  readonly epochs?: number;
  /** Whether a last batch of an epoch that is not full is left out. Default true. */
  readonly dropLast?: boolean;
  /** Of `count` processes that train together this is the `index`-th: each gets its own samples. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Threads that read images. Default: one fewer than there are processors, at most 4. */
  readonly workers?: number;
  /** Batches that are made ahead. Default 2. */
  readonly prefetch?: number;
  /** Bytes of preprocessed images to keep for the next time. Default 256 MiB; 0 for none. */
  readonly cacheBytes?: number;
  /** Milliseconds after which an image that is still being read is given up. Default 120000. */
  readonly imageTimeout?: number;
  /**
   * What becomes of an image that is missing or damaged. `error` (default): the stream ends there. `black`: a black image
   * of 224 × 224 pixels takes its place, as in Eagle's training (`train.py`), and `onBrokenImage` is told.
   */
  readonly brokenImages?: 'error' | 'black';
  /** Gets the error of every image that a black one replaces, with its file and sample. */
  readonly onBrokenImage?: (error: LoaderError) => void;
  /** Ends the loader when aborted. */
  readonly signal?: AbortSignal;
}

/** {@link LoaderOptions} with its defaults filled in. */
export type ResolvedLoaderOptions = Omit<z.output<typeof optionsSchema>, 'template' | 'workers' | 'padTokenId'> & {
  readonly template: ConversationTemplate;
  readonly workers: number;
  readonly padTokenId: number;
};

/** @throws LoaderError naming the option that is missing, unknown or invalid */
export function resolveLoaderOptions(options: LoaderOptions): ResolvedLoaderOptions {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new LoaderError({
      operation: 'createLoader',
      expected: 'valid options',
      received: firstIssue(parsed.error),
      remedy: 'correct the named option',
      value: options,
    });
  }
  const { data } = parsed;
  if (data.shard.index >= data.shard.count || (data.shard.count > 1 && !data.dropLast)) {
    throw new LoaderError({
      operation: 'createLoader',
      expected: 'a shard index below its count, and dropLast where there are several shards',
      received: JSON.stringify({ shard: data.shard, dropLast: data.dropLast }),
      remedy: 'number the processes from 0, and give all of them full batches',
      value: data.shard,
    });
  }
  if (data.grid !== undefined && !Number.isInteger(Math.sqrt(data.visualTokensPerImage))) {
    throw new LoaderError({
      operation: 'createLoader',
      expected: 'visualTokensPerImage to be a square number, as there is a grid and tiles form one',
      received: String(data.visualTokensPerImage),
      remedy: 'choose a projector that makes a square of tokens of a tile, or leave the grid out',
      value: data.visualTokensPerImage,
    });
  }
  const { tokenizer } = data;
  const padTokenId = data.padTokenId ?? tokenizer.padTokenId ?? tokenizer.unknownTokenId ?? tokenizer.eosTokenId;
  if (padTokenId === undefined) {
    throw new LoaderError({
      operation: 'createLoader',
      expected: `padTokenId, as the tokenizer has no token for it (labels there are ${IGNORE_LABEL} whatever it is)`,
      received: 'none',
      remedy: 'pass padTokenId',
    });
  }
  return {
    ...data,
    padTokenId,
    template: getTemplate(data.template),
    workers: data.workers ?? Math.max(1, Math.min(4, availableParallelism() - 1)),
  };
}
