import type { KeyMap } from '@ocelli/core-tensor';
import { convNextKeyMap } from '@ocelli/encoders';

/**
 * Rules for a ConvNeXt below a path, `*` in it standing for a number: stored as timm names it, with Eagle's name of the
 * layer scale.
 */
export function eagleConvNextRules(path: string): KeyMap['rules'] {
  return convNextKeyMap('eagle').rules.map(({ key, parameter, ...rest }) => ({
    ...rest,
    key: `${path}${key}`,
    parameter: `${path}${String(parameter)}`,
  }));
}
