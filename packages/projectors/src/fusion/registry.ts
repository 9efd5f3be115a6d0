import { requireType } from '../require-type.js';
import { ChannelConcat } from './channel-concat/channel-concat.js';
import {
  type ChannelConcatConfig,
  type ChannelConcatConfigInput,
  channelConcatDefaults,
} from './channel-concat/config.js';
import {
  type DeformableFusionConfig,
  type DeformableFusionConfigInput,
  deformableFusionDefaults,
} from './deformable/config.js';
import { DeformableFusion } from './deformable/deformable-fusion.js';
import { type LlavaHrConfig, type LlavaHrConfigInput, llavaHrDefaults } from './llava-hr/config.js';
import { LlavaHrFusion } from './llava-hr/llava-hr-fusion.js';
import { type MiniGeminiConfig, type MiniGeminiConfigInput, miniGeminiDefaults } from './mini-gemini/config.js';
import { MiniGeminiFusion } from './mini-gemini/mini-gemini-fusion.js';
import {
  type SequenceAppendConfig,
  type SequenceAppendConfigInput,
  sequenceAppendDefaults,
} from './sequence-append/config.js';
import { SequenceAppend } from './sequence-append/sequence-append.js';

/** Every fusion by its id, with what its configuration may leave out. */
export const fusions = {
  'channel-concat': { Fusion: ChannelConcat, defaults: channelConcatDefaults },
  'sequence-append': { Fusion: SequenceAppend, defaults: sequenceAppendDefaults },
  'llava-hr': { Fusion: LlavaHrFusion, defaults: llavaHrDefaults },
  'mini-gemini': { Fusion: MiniGeminiFusion, defaults: miniGeminiDefaults },
  deformable: { Fusion: DeformableFusion, defaults: deformableFusionDefaults },
} as const;

/** An id under which {@link fusions} has an entry. */
export type FusionType = keyof typeof fusions;

/** Structure of any fusion; `type` tells which. */
export type FusionConfig =
  | ChannelConcatConfig
  | SequenceAppendConfig
  | LlavaHrConfig
  | MiniGeminiConfig
  | DeformableFusionConfig;

/** A {@link FusionConfig} whose defaults may be left out; `type` may not. */
export type FusionConfigInput =
  | (ChannelConcatConfigInput & { readonly type: 'channel-concat' })
  | (SequenceAppendConfigInput & { readonly type: 'sequence-append' })
  | (LlavaHrConfigInput & { readonly type: 'llava-hr' })
  | (MiniGeminiConfigInput & { readonly type: 'mini-gemini' })
  | (DeformableFusionConfigInput & { readonly type: 'deformable' });

/** The class of the fusion that a configuration describes. */
export type FusionOf<Type extends FusionType> = InstanceType<(typeof fusions)[Type]['Fusion']>;

/**
 * The fusion that a configuration describes, with fresh weights.
 *
 * @throws ConfigError if `type` is unknown (the message lists the known ones) or a field is missing, unknown or invalid
 */
export function createFusion<Config extends FusionConfigInput>(config: Config): FusionOf<Config['type']> {
  const { type } = config;
  requireType('createFusion', fusions, type);
  const Fusion = fusions[type].Fusion as new (config: FusionConfigInput) => FusionOf<Config['type']>;
  return new Fusion(config);
}
