import { z } from 'zod';
import { commonFields, hasPositionCount, positionCountIssue, positionEmbedding, prenorm, size } from '../fields.js';
import { parseConfig } from '../parse-config.js';

const shared = { ...commonFields, prenorm, positionEmbedding: positionEmbedding(false) };

/** @internal */
export const linearSchema = z
  .strictObject({ type: z.literal('linear').default('linear'), ...shared })
  .refine(hasPositionCount, positionCountIssue);

/** What of a {@link LinearProjectorConfig} need not be given. */
export const linearDefaults = { prenorm: false, positionEmbedding: false, endTokens: 0, initializerRange: 0.02 } as const;

/** @internal */
export const mlpSchema = z
  .strictObject({
    type: z.literal('mlp').default('mlp'),
    ...shared,
    /** Number of linear layers. */
    depth: size.default(2),
  })
  .refine(hasPositionCount, positionCountIssue);

/** What of an {@link MlpProjectorConfig} need not be given. */
export const mlpDefaults = { ...linearDefaults, depth: 2 } as const;

/** Structure of a {@link LinearProjector}; plain data. */
export type LinearProjectorConfig = Readonly<z.output<typeof linearSchema>>;
/** A {@link LinearProjectorConfig} whose defaults may be left out. */
export type LinearProjectorConfigInput = Readonly<z.input<typeof linearSchema>>;
/** Structure of an {@link MlpProjector}; plain data. */
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
