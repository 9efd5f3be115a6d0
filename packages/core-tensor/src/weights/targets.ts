import type { Shape } from '../graph/shape.js';
import type { Module } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';

/** A weight that is made from float values but held otherwise, such as a quantized one. */
export interface FloatWeight extends Module {
  /** Of the float values. */
  readonly shape: Shape;
  setFromFloat(values: Float32Array): void;
}

/** Something that takes a stored tensor's values. */
export type WeightTarget =
  | { readonly kind: 'parameter'; readonly parameter: Parameter; readonly shape: Shape }
  | { readonly kind: 'float weight'; readonly weight: FloatWeight; readonly shape: Shape };

/** Where a module takes values, by path. */
export interface WeightTargets {
  readonly byName: ReadonlyMap<string, WeightTarget>;
  /** Of each float weight, the paths of the parameters behind it: set together with it, or one by one. */
  readonly behind: ReadonlyMap<string, readonly string[]>;
}

/** Parameters and float weights of a module. */
export function weightTargets(module: Module): WeightTargets {
  const byName = new Map<string, WeightTarget>();
  const behind = new Map<string, readonly string[]>();
  for (const [path, each] of Object.entries(module.namedModules())) {
    if (path === '' || !isFloatWeight(each)) continue;
    byName.set(path, { kind: 'float weight', weight: each, shape: each.shape });
    behind.set(
      path,
      Object.keys(each.namedParameters()).map((name) => `${path}.${name}`),
    );
  }
  for (const [name, parameter] of Object.entries(module.namedParameters())) {
    byName.set(name, { kind: 'parameter', parameter, shape: parameter.shape });
  }
  return { byName, behind };
}

function isFloatWeight(module: Module): module is FloatWeight {
  return 'setFromFloat' in module && typeof module.setFromFloat === 'function';
}
