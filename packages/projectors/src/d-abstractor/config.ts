import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { commonDefaults, commonFields, size, square } from '../fields.js';

/** What a configuration of a D-Abstractor may leave out. Source: Honeybee's `d-abs.yaml`, and Deformable DETR's defaults. */
export const dAbstractorDefaults = {
  ...commonDefaults,
  positionEmbedding: true,
  outputTokens: 144,
  hiddenSize: 1024,
  numHiddenLayers: 6,
  numAttentionHeads: 8,
  numPoints: 4,
  intermediateSize: 1024,
  dropout: 0.1,
  layerNormEps: 1e-5,
  pooledTarget: 'query',
  offsetStart: 'normal',
  referencePoints: 'grid',
} as const;

const schema = z
  .strictObject({
    type: z.literal('d-abstractor').default('d-abstractor'),
    ...commonFields,
    /** Number of features of an image: a square number. The reference points depend on it. */
    inputTokens: square,
    positionEmbedding: z.boolean().default(dAbstractorDefaults.positionEmbedding),
    /** Tokens an image becomes, end tokens not counted: a square number. */
    outputTokens: square.default(dAbstractorDefaults.outputTokens),
    /** Width of the layers. */
    hiddenSize: size.default(dAbstractorDefaults.hiddenSize),
    numHiddenLayers: size.default(dAbstractorDefaults.numHiddenLayers),
    numAttentionHeads: size.default(dAbstractorDefaults.numAttentionHeads),
    /** Places in the features that a head of a query looks at. */
    numPoints: size.default(dAbstractorDefaults.numPoints),
    /** Width inside the feed-forward parts. */
    intermediateSize: size.default(dAbstractorDefaults.intermediateSize),
    /** Share of numbers dropped on the residual branches in training. */
    dropout: z.number().min(0).lt(1).default(dAbstractorDefaults.dropout),
    layerNormEps: z.number().positive().default(dAbstractorDefaults.layerNormEps),
    /**
     * What the pooled features become. `query` is the official default: they are added to the queries of every layer, as
     * positions are, and the first hidden state is a learned table. `target` changes the two round, which is what the
     * paper says. `none`: both are learned, and nothing is pooled.
     */
    pooledTarget: z.enum(['query', 'target', 'none']).default(dAbstractorDefaults.pooledTarget),
    /**
     * How the deformable attention starts. `normal`: N(0, initializerRange²) with biases of zero everywhere, as in the
     * official code, which draws Deformable DETR's own start anew and so loses it; its published models were trained from
     * there. `directions`: as Deformable DETR, heads look into different directions and weights are even.
     */
    offsetStart: z.enum(['normal', 'directions']).default(dAbstractorDefaults.offsetStart),
    /**
     * Where queries look. `grid`, as published: learned points, the same for all images, that start on a grid. `queries`,
     * without this manual start (the paper's table 9): as in Deformable DETR the sigmoid of a linear map of each query's
     * position, so that all points start near the middle. No code of this ablation was published; that the points come
     * from the queries is what the paper says of the D-Abstractor as such.
     */
    referencePoints: z.enum(['grid', 'queries']).default(dAbstractorDefaults.referencePoints),
  })
  .refine(({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize',
  });

/** Structure of a D-Abstractor; plain data. */
export type DAbstractorConfig = Readonly<z.output<typeof schema>>;
/** A {@link DAbstractorConfig} whose defaults may be left out. */
export type DAbstractorConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseDAbstractorConfig(config: DAbstractorConfigInput): DAbstractorConfig {
  return parseConfig('parseDAbstractorConfig', schema, config);
}
