import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { commonDefaults, commonFields, positionsHaveLength, size, square } from '../fields.js';
import { stageBlocks } from './convolution-stage.js';

/** What a configuration of a C-Abstractor may leave out. Source: Honeybee's `c-abs.yaml`. */
export const cAbstractorDefaults = {
  ...commonDefaults,
  positionEmbedding: true,
  prenorm: false,
  outputTokens: 144,
  depth: 3,
  mlpDepth: 2,
  hiddenSize: 1024,
  block: 'regnet',
} as const;

const schema = z
  .strictObject({
    type: z.literal('c-abstractor').default('c-abstractor'),
    ...commonFields,
    inputTokens: square.optional(),
    positionEmbedding: z.boolean().default(cAbstractorDefaults.positionEmbedding),
    /** Normalise the features first. */
    prenorm: z.boolean().default(cAbstractorDefaults.prenorm),
    /** Tokens an image becomes, end tokens not counted: a square number. */
    outputTokens: square.default(cAbstractorDefaults.outputTokens),
    /** Blocks before, and again after, the pooling; 0 for pooling alone. */
    depth: z.int().nonnegative().default(cAbstractorDefaults.depth),
    /** Linear layers behind the last block. */
    mlpDepth: size.default(cAbstractorDefaults.mlpDepth),
    /** Width of the blocks. */
    hiddenSize: size.default(cAbstractorDefaults.hiddenSize),
    /**
     * What the stages are made of. `regnet` is Honeybee; the others are those that the paper compares with (table 9), of
     * which no code was published: `convnext`, and `convolution`, a plain 3×3 one.
     */
    block: z.enum(stageBlocks).default(cAbstractorDefaults.block),
  })
  .refine(...positionsHaveLength);

/** Structure of a C-Abstractor; plain data. */
export type CAbstractorConfig = Readonly<z.output<typeof schema>>;
/** A {@link CAbstractorConfig} whose defaults may be left out. */
export type CAbstractorConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseCAbstractorConfig(config: CAbstractorConfigInput): CAbstractorConfig {
  return parseConfig('parseCAbstractorConfig', schema, config);
}
