import { sizeOf } from '../graph/shape.js';
import type { Module } from '../nn/module.js';
import { compileKeyMap, type KeyMap } from '../weights/key-map.js';
import type { Fixture, FixtureTensor } from './fixture.js';

/**
 * A fixture whose weights and their gradients (`param.KEY`, `grad.KEY`) have the names and layouts of the module's
 * parameters, for a module that reads its published checkpoints through a key map. What has no parameter stays as it is.
 */
export function withKeyMap(fixture: Fixture, module: Module, keyMap: KeyMap): Fixture {
  const map = compileKeyMap(keyMap);
  const parameters = module.namedParameters();
  const tensors = new Map<string, FixtureTensor>();
  for (const [name, stored] of fixture.tensors) {
    const [, role, key] = /^(param|grad)\.(.*)$/.exec(name) ?? [];
    const found =
      key === undefined
        ? undefined
        : map.rolesOf(key).find((each) => each.parameters.every((part) => part in parameters));
    if (!found) {
      tensors.set(name, stored);
      continue;
    }
    const shapes = found.parameters.map((part) => parameters[part]!.shape);
    const values = { shape: stored.shape, data: stored.data as Float32Array };
    // A tensor of another size stays one: loading then says so.
    const fits = sizeOf(stored.shape) === shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
    const parts = found.layout && fits ? found.layout.read(values, shapes) : [values];
    for (const [index, { shape, data }] of parts.entries()) {
      tensors.set(`${role}.${found.parameters[index]}`, { shape, data, dtype: stored.dtype });
    }
  }
  return { ...fixture, tensors };
}
