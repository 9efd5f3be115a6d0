import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { commonDefaults, commonFields, positionsHaveLength } from '../fields.js';

/** What a configuration of a linear projector may leave out. */
export const linearDefaults = { ...commonDefaults, prenorm: false, weightStart: 'normal' } as const;

/** What a configuration of an MLP projector may leave out: Honeybee's. */
export const mlpDefaults = { ...linearDefaults, depth: 2, activation: 'silu' } as const;

const fields = {
  ...commonFields,
  /** Normalise the features first. */
  prenorm: z.boolean().default(linearDefaults.prenorm),
  /**
   * How the linear layers start: `normal` is N(0, initializerRange²) with biases of zero, as in Honeybee; `uniform` is
   * ±1/√inputs, biases too, as PyTorch's layers and LLaVA's projectors.
   */
  weightStart: z.enum(['normal', 'uniform']).default(linearDefaults.weightStart),
};

const linearSchema = z
  .strictObject({ type: z.literal('linear').default('linear'), ...fields })
  .refine(...positionsHaveLength);

const mlpSchema = z
  .strictObject({
    type: z.literal('mlp').default('mlp'),
    ...fields,
    /** Number of linear layers; without any, features become tokens as they are. */
    depth: z.int().nonnegative().default(mlpDefaults.depth),
    /** Between the layers. Honeybee has SiLU, LLaVA the exact GELU. */
    activation: z
      .enum(Object.keys(activations) as [ActivationName, ...ActivationName[]])
      .default(mlpDefaults.activation),
  })
  .refine(...positionsHaveLength)
  .refine(({ depth, visionWidth, languageWidth }) => depth > 0 || visionWidth === languageWidth, {
    path: ['languageWidth'],
    message: 'must be visionWidth where depth is 0',
  });

/** Structure of a linear projector; plain data. */
export type LinearProjectorConfig = Readonly<z.output<typeof linearSchema>>;
/** A {@link LinearProjectorConfig} whose defaults may be left out. */
export type LinearProjectorConfigInput = Readonly<z.input<typeof linearSchema>>;
/** Structure of an MLP projector; plain data. */
export type MlpProjectorConfig = Readonly<z.output<typeof mlpSchema>>;
/** An {@link MlpProjectorConfig} whose defaults may be left out. */
export type MlpProjectorConfigInput = Readonly<z.input<typeof mlpSchema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseLinearProjectorConfig(config: LinearProjectorConfigInput): LinearProjectorConfig {
  return parseConfig('parseLinearProjectorConfig', linearSchema, config);
}

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseMlpProjectorConfig(config: MlpProjectorConfigInput): MlpProjectorConfig {
  return parseConfig('parseMlpProjectorConfig', mlpSchema, config);
}
