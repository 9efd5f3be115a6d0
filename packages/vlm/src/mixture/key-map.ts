import type { KeyMap } from '@ocelli/core-tensor';
import { convNextKeyMap } from '@ocelli/encoders';

const root = 'vision_towers.*.vision_tower.';

/**
 * Names of the encoders in Eagle's checkpoints, `model.vision_tower.vision_towers.{i}.vision_tower.…`. ConvNeXt is stored
 * as timm names it. Its head, the tables of EVA-02's rotary positions and everything outside of the towers is ignored.
 */
export const eagleMixtureKeyMap: KeyMap = {
  rules: convNextKeyMap('eagle').rules.map((rule) => ({
    ...rule,
    key: `${root}${rule.key}`,
    parameter: `${root}${String(rule.parameter)}`,
  })),
  ignore: [
    /^vision_towers\.\d+\.vision_tower\.(norm_pre|head)\./,
    /\.rope(_win|_glb)?\.freqs_(cos|sin)$/,
    /^(?!.*vision_towers\.)/,
  ],
  prefixes: ['model.vision_tower.', 'vision_tower.'],
};
