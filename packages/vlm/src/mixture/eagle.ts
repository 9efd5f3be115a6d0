import { ConfigError } from '@ocelli/core-tensor';
import {
  clipVisionConfigs,
  convNextConfigs,
  type EncoderConfigInput,
  eva02VisionConfigs,
  samVisionConfigs,
} from '@ocelli/encoders';
import type { EncoderMixtureConfigInput } from './config.js';

/** Published mixtures, as `mm_vision_tower` names them. The order is that of the channels. */
export const eagleTowers = {
  'eagle-x4': 'clip-448;convnext-1024;det-1024;pix2struct-1024',
  'eagle-x5': 'clip-448;convnext-1024;sam-1024;det-1024;pix2struct-1024',
} as const;

/** Options of {@link eagleMixtureConfig}. */
export interface EagleMixtureOptions {
  /**
   * Side in pixels of CLIP's images. The paper says 448; the code behind the published models computes 336 and enlarges
   * the features. Default: 336.
   */
  readonly clipInputSize?: number;
}

const experts = {
  'clip-448': ({ clipInputSize = 336 }: EagleMixtureOptions) => ({
    type: 'clip-high-resolution',
    vision: clipVisionConfigs['clip-vit-large-patch14-336'],
    inputSize: clipInputSize,
  }),
  'convnext-1024': () => convNextConfigs['eagle-convnext-xxlarge-1024'],
  'sam-1024': () => samVisionConfigs['eagle-sam-vit-large'],
  'det-1024': () => eva02VisionConfigs['eva02-large-det'],
  'pix2struct-1024': () => ({ type: 'eagle-pix2struct' }),
} as const satisfies Record<string, (options: EagleMixtureOptions) => EncoderConfigInput>;

/**
 * The mixture that Eagle names by its encoders, such as `clip-448;convnext-1024`. Unlike the original, names that it does
 * not know are no longer skipped, and ConvNeXt may be absent.
 *
 * @throws ConfigError for a name that is unknown (the message lists the known ones)
 */
export function eagleMixtureConfig(name: string, options: EagleMixtureOptions = {}): EncoderMixtureConfigInput {
  const encoders = name.split(';').map((expert) => {
    if (!Object.hasOwn(experts, expert)) {
      throw new ConfigError({
        operation: 'eagleMixtureConfig',
        expected: `names among ${Object.keys(experts).join(', ')}, separated by semicolons`,
        received: JSON.stringify(expert),
      });
    }
    return { encoder: experts[expert as keyof typeof experts](options) as EncoderConfigInput };
  });
  return { encoders };
}
