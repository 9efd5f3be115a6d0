import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { commonDefaults, commonFields, positionsHaveLength, size } from '../fields.js';

/** What a configuration of a linear projector may leave out. */
export const linearDefaults = { ...commonDefaults, prenorm: false } as const;

/** What a configuration of an MLP projector may leave out. */
export const mlpDefaults = { ...linearDefaults, depth: 2 } as const;

const fields = {
  ...commonFields,
  /** Normalise the features first. */
  prenorm: z.boolean().default(linearDefaults.prenorm),
};

const linearSchema = z
  .strictObject({ type: z.literal('linear').default('linear'), ...fields })
  .refine(...positionsHaveLength);

const mlpSchema = z
  .strictObject({
    type: z.literal('mlp').default('mlp'),
    ...fields,
    /** Number of linear layers. */
    depth: size.default(mlpDefaults.depth),
  })
  .refine(...positionsHaveLength);

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
