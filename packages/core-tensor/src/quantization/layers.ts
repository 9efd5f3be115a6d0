import { ConfigError } from '../errors.js';
import { Linear } from '../nn/layers.js';
import { type Module, matchesName, type NamePattern } from '../nn/module.js';
import { isOutputLayer } from '../nn/output-layer.js';
import { Parameter } from '../nn/parameter.js';
import type { QuantizedWeight } from './quantized-weight.js';

/** Which layers a function is about. */
export interface LayerSelection {
  /** Layers of these paths only. */
  readonly include?: readonly NamePattern[] | undefined;
  /** Not those of these paths. */
  readonly exclude?: readonly NamePattern[] | undefined;
  /**
   * The output head too, which turns hidden states into scores of tokens. Where it shares its weight with the token
   * table, the table stays and the head gets a copy of its own. Default: false.
   */
  readonly head?: boolean | undefined;
}

/** A linear layer of a module. */
export interface LinearLayer {
  readonly path: string;
  readonly layer: Linear;
  /** Whether another layer uses the same weight. */
  readonly isShared: boolean;
}

/**
 * The linear layers that are meant: all but heads and those in adapters, unless something else is said.
 *
 * @throws ConfigError for a pattern that matches no linear layer
 */
export function selectLayers(
  operation: string,
  module: Module,
  { include, exclude = [], head = false }: LayerSelection,
): LinearLayer[] {
  const layers = linearLayers(module);
  for (const pattern of [...(include ?? []), ...exclude]) {
    if (layers.some(({ path }) => matchesName(path, pattern))) continue;
    throw new ConfigError({
      operation,
      expected: 'a pattern that matches a linear layer',
      received: String(pattern),
      remedy: `There are ${layers
        .slice(0, 5)
        .map(({ path }) => path)
        .join(', ')}.`,
    });
  }
  return layers.filter(
    ({ path, isShared }) =>
      (include?.some((pattern) => matchesName(path, pattern)) ?? true) &&
      !exclude.some((pattern) => matchesName(path, pattern)) &&
      (head || !(isShared || isOutputLayer(path))),
  );
}

/** Linear layers outside of adapters. */
export function linearLayers(module: Module): LinearLayer[] {
  const modules = Object.entries(module.namedModules());
  const inAdapters = new Set(
    modules.flatMap(([, each]) => (each instanceof Linear && each.adapter ? modulesIn(each.adapter) : [])),
  );
  const uses = new Map<unknown, number>();
  for (const [, each] of modules) {
    const own = new Set(Object.values(each).filter((field) => field instanceof Parameter));
    for (const parameter of own) uses.set(parameter, (uses.get(parameter) ?? 0) + 1);
  }
  return modules.flatMap(([path, each]) =>
    each instanceof Linear && !inAdapters.has(each)
      ? [{ path, layer: each, isShared: (uses.get(each.weight) ?? 0) > 1 }]
      : [],
  );
}

function modulesIn(module: Module): Module[] {
  return Object.values(module.namedModules());
}

/** Layers whose weight is quantized. */
export function quantizedLayers(module: Module): { readonly path: string; readonly weight: QuantizedWeight }[] {
  return linearLayers(module).flatMap(({ path, layer: { weight } }) =>
    weight instanceof Parameter ? [] : [{ path, weight }],
  );
}
