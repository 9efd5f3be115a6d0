import { parseConfig } from '@ocelli/core-tensor';
import {
  type ClipVisionConfig,
  type ClipVisionConfigInput,
  type ConvNextConfig,
  type ConvNextConfigInput,
  clipVisionConfigs,
  convNextConfigs,
  parseClipVisionConfig,
  parseConvNextConfig,
} from '@ocelli/encoders';
import { z } from 'zod';

/** The towers check their own configurations. */
const part = z.looseObject({});

const schema = z.strictObject({
  type: z.literal('llava-hr').default('llava-hr'),
  fast: part.default(clipVisionConfigs['clip-vit-large-patch14-336']),
  slow: part.default(convNextConfigs['eagle-convnext-xxlarge-1024']),
  imageSize: z.int().positive().default(1024),
  adapters: z.boolean().default(true),
});

/** Structure of a {@link LlavaHrTower}; plain data. */
export interface LlavaHrTowerConfig {
  readonly type: 'llava-hr';
  /** The tower whose tokens remain. Its layers are a multiple of four. */
  readonly fast: ClipVisionConfig;
  /** The tower for the high resolution. */
  readonly slow: ConvNextConfig;
  /** Side in pixels of the images. */
  readonly imageSize: number;
  /** Whether the slow path acts between the layers of the fast one; LLaVA-HR has it only where the towers train. */
  readonly adapters: boolean;
}

/** A {@link LlavaHrTowerConfig} whose fields may be left out: CLIP ViT-L/14-336 and ConvNeXt-XXL at 1024 pixels. */
export interface LlavaHrTowerConfigInput {
  readonly type?: 'llava-hr' | undefined;
  readonly fast?: ClipVisionConfigInput | undefined;
  readonly slow?: ConvNextConfigInput | undefined;
  readonly imageSize?: number | undefined;
  readonly adapters?: boolean | undefined;
}

/** @throws ConfigError that names every unknown or invalid field */
export function parseLlavaHrTowerConfig(config: LlavaHrTowerConfigInput): LlavaHrTowerConfig {
  const { fast, slow, ...rest } = parseConfig('parseLlavaHrTowerConfig', schema, config);
  const parsed = parseClipVisionConfig(fast as ClipVisionConfigInput);
  const quarters = z.object({
    fast: z.object({ numHiddenLayers: z.int().multipleOf(4, 'must be a multiple of 4') }),
  });
  parseConfig('parseLlavaHrTowerConfig', quarters, { fast: parsed });
  return { ...rest, fast: parsed, slow: parseConvNextConfig(slow as ConvNextConfigInput) };
}
