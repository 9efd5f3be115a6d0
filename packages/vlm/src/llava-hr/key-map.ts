import type { KeyMap } from '@ocelli/core-tensor';
import { eagleConvNextRules } from '../mixture/eagle-convnext-rules.js';

/**
 * Names of the tower in LLaVA-HR's checkpoints, `model.vision_tower.fast_vision_tower.…` and so on. ConvNeXt is stored as
 * timm names it, with Eagle's name of the layer scale. Its head and everything outside of the tower is ignored.
 */
export const llavaHrKeyMap: KeyMap = {
  rules: eagleConvNextRules('slow_vision_tower.vision_tower.'),
  ignore: [
    /^slow_vision_tower\.vision_tower\.(norm_pre|head)\./,
    /^(?!.*(fast_vision_tower|slow_vision_tower|align_stages|align_stages_latent)\.)/,
  ],
  prefixes: ['model.vision_tower.', 'vision_tower.'],
};
