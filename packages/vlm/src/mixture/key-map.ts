import type { KeyMap } from '@ocelli/core-tensor';
import { eagleConvNextRules } from './eagle-convnext-rules.js';

/**
 * Names of the encoders in Eagle's checkpoints, `model.vision_tower.vision_towers.{i}.vision_tower.…`. ConvNeXt is stored
 * as timm names it. Its head, the tables of EVA-02's rotary positions and everything outside of the towers is ignored.
 */
export const eagleMixtureKeyMap: KeyMap = {
  rules: eagleConvNextRules('vision_towers.*.vision_tower.'),
  ignore: [
    /^vision_towers\.\d+\.vision_tower\.(norm_pre|head)\./,
    /\.rope(_win|_glb)?\.freqs_(cos|sin)$/,
    /^(?!.*vision_towers\.)/,
  ],
  prefixes: ['model.vision_tower.', 'vision_tower.'],
};
