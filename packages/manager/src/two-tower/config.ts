import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import type { CrossModalLayerConfig } from './cross-modal-layer.js';
import { managerFields } from './managers/config.js';

const size = z.int().positive();
const rate = z.number().min(0).lt(1);

const crossModalFields = {
  /** Width of the cross-modal layers. */
  hiddenSize: size.default(768),
  numHeads: size.default(12),
  /** Width inside the feed-forward parts as a multiple of the width. */
  mlpRatio: z.number().positive().default(4),
  /** Cross-modal layers of each modality. */
  numLayers: size.default(6),
  /**
   * Of the norms inside the cross-modal layers. The published models have 1e-12, the default of a freshly made
   * RobertaConfig, though their text encoder has 1e-5.
   */
  layerNormEps: z.number().positive().default(1e-12),
  /** Share of values dropped in training, of what is added to the residual stream. */
  hiddenDropout: rate.default(0.1),
  /** Share of attention weights dropped in training. */
  attentionDropout: rate.default(0.1),
  /** Deviation of first values. */
  initializerRange: z.number().nonnegative().default(0.02),
  /** Kinds of tokens: text, image, and for NLVR² a second image. */
  tokenTypes: z.int().min(2).default(2),
};

const headsDivide: [
  (config: { readonly hiddenSize: number; readonly numHeads: number }) => boolean,
  { path: string[]; message: string },
] = [
  ({ hiddenSize, numHeads }) => hiddenSize % numHeads === 0,
  { path: ['numHeads'], message: 'must divide hiddenSize' },
];

const { layerNormEps: managerEps, initializerRange: _, ...managerChoices } = managerFields;

const managerFusionSchema = z
  .strictObject({
    type: z.literal('manager').default('manager'),
    ...crossModalFields,
    /** Layers of the text encoder: rows of its table of layer embeddings. */
    textLayers: size.default(12),
    imageLayers: size.default(12),
    /** How many of the topmost layers of the text encoder are managed. */
    managedTextLayers: size.default(6),
    managedImageLayers: size.default(6),
    /** Of all managers; those in front of the first layer are static ones. */
    manager: z
      .strictObject({
        ...managerChoices,
        layerNormEps: managerEps,
        /** Where noise is added in training: `all` as the released code, `adaptive` as the 2025 paper says, or nowhere. */
        explorationNoise: z.enum(['all', 'adaptive', 'none']).default('all'),
      })
      .prefault({}),
  })
  .refine(...headsDivide)
  .refine(({ managedTextLayers, textLayers }) => managedTextLayers <= textLayers, {
    path: ['managedTextLayers'],
    message: 'must not exceed textLayers',
  })
  .refine(({ managedImageLayers, imageLayers }) => managedImageLayers <= imageLayers, {
    path: ['managedImageLayers'],
    message: 'must not exceed imageLayers',
  });

const bridgeFusionSchema = z
  .strictObject({
    type: z.literal('bridge').default('bridge'),
    ...crossModalFields,
    /** Of the norms of the bridges. */
    linkLayerNormEps: z.number().positive().default(1e-5),
  })
  .refine(...headsDivide);

const meterFusionSchema = z
  .strictObject({
    type: z.literal('meter').default('meter'),
    ...crossModalFields,
    /**
     * Whether each tower's last layer is joined by a gated sum of all earlier ones, see `LayerGate`. The towers must be as
     * wide as the cross-modal layers then. Off in the published models.
     */
    layerGates: z.boolean().default(false),
  })
  .refine(...headsDivide);

/** Structure of ManagerTower's cross-modal part; plain data. */
export type ManagerFusionConfig = Readonly<z.output<typeof managerFusionSchema>>;
/** A {@link ManagerFusionConfig} whose fields may be left out: they default to those of the published base model. */
export type ManagerFusionConfigInput = Readonly<z.input<typeof managerFusionSchema>>;
/** Structure of BridgeTower's cross-modal part; plain data. */
export type BridgeFusionConfig = Readonly<z.output<typeof bridgeFusionSchema>>;
/** A {@link BridgeFusionConfig} whose fields may be left out: they default to those of the published base model. */
export type BridgeFusionConfigInput = Readonly<z.input<typeof bridgeFusionSchema>>;
/** Structure of METER's cross-modal part; plain data. */
export type MeterFusionConfig = Readonly<z.output<typeof meterFusionSchema>>;
/** A {@link MeterFusionConfig} whose fields may be left out: they default to those of the base model. */
export type MeterFusionConfigInput = Readonly<z.input<typeof meterFusionSchema>>;

/** @throws ConfigError that names every unknown or invalid field */
export function parseManagerFusionConfig(config: ManagerFusionConfigInput): ManagerFusionConfig {
  return parseConfig('parseManagerFusionConfig', managerFusionSchema, config);
}

/** @throws ConfigError that names every unknown or invalid field */
export function parseBridgeFusionConfig(config: BridgeFusionConfigInput): BridgeFusionConfig {
  return parseConfig('parseBridgeFusionConfig', bridgeFusionSchema, config);
}

/** @throws ConfigError that names every unknown or invalid field */
export function parseMeterFusionConfig(config: MeterFusionConfigInput): MeterFusionConfig {
  return parseConfig('parseMeterFusionConfig', meterFusionSchema, config);
}

/** The cross-modal layers of a configuration. */
export function crossModalLayerConfig(
  config: ManagerFusionConfig | BridgeFusionConfig | MeterFusionConfig,
): CrossModalLayerConfig {
  const { hiddenSize, mlpRatio } = config;
  return { ...config, intermediateSize: Math.round(hiddenSize * mlpRatio) };
}
