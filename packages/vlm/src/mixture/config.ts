import { parseConfig } from '@ocelli/core-tensor';
import type { EncoderConfig, EncoderConfigInput } from '@ocelli/encoders';
import type { FusionConfig, FusionConfigInput } from '@ocelli/projectors';
import { z } from 'zod';
import type { ExpertConfig } from './expert.js';

/** The parts check their own configurations. */
const part = z.looseObject({ type: z.string() });

const schema = z.strictObject({
  type: z.literal('mixture').default('mixture'),
  encoders: z.array(z.strictObject({ encoder: part, pyramid: z.boolean().default(false) })).min(1),
  fusion: part.default({ type: 'channel-concat' }),
  imageSize: z.int().positive().default(1024),
});

/** Structure of an {@link EncoderMixture}; plain data. */
export interface EncoderMixtureConfig {
  readonly type: 'mixture';
  readonly encoders: readonly { readonly encoder: EncoderConfig; readonly pyramid: boolean }[];
  readonly fusion: FusionConfig;
  /** Side in pixels of the images that it is meant for; it takes any. */
  readonly imageSize: number;
}

type WithoutWidths<Config> = Config extends unknown ? Omit<Config, 'widths'> : never;

/** An {@link EncoderMixtureConfig} whose defaults may be left out. */
export interface EncoderMixtureConfigInput {
  readonly type?: 'mixture' | undefined;
  /** In the order in which the fusion takes their maps. */
  readonly encoders: readonly ExpertConfig[];
  /** Its widths, if they are left out, are the encoders'. Default: `channel-concat` on a grid of 32 × 32. */
  readonly fusion?: FusionConfigInput | WithoutWidths<FusionConfigInput> | undefined;
  readonly imageSize?: number | undefined;
}

/** What is checked before the parts are. */
export interface MixtureParts {
  readonly encoders: readonly { readonly encoder: EncoderConfigInput; readonly pyramid: boolean }[];
  readonly fusion: FusionConfigInput | WithoutWidths<FusionConfigInput>;
  readonly imageSize: number;
}

/** @throws ConfigError that names every missing, unknown or invalid field around the parts' configurations */
export function parseMixtureParts(config: EncoderMixtureConfigInput): MixtureParts {
  return parseConfig('EncoderMixture', schema, config) as unknown as MixtureParts;
}
