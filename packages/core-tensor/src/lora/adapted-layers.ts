import { Embedding, Linear } from '../nn/layers.js';
import type { Module } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';
import { LoraEmbedding, LoraLinear } from './adapter.js';

/** A layer with a low-rank adapter on it. */
export interface AdaptedLayer {
  readonly path: string;
  readonly layer: Linear | Embedding;
  readonly adapter: LoraLinear | LoraEmbedding;
}

/** The layers of a model that have a low-rank adapter on. */
export function adaptedLayers(module: Module): AdaptedLayer[] {
  return layersOf(module).flatMap(({ path, layer }) => {
    const { adapter } = layer;
    return adapter instanceof LoraLinear || adapter instanceof LoraEmbedding ? [{ path, layer, adapter }] : [];
  });
}

/** Parameters of all adapters on the layers of a model, of whatever kind. */
export function adapterParameters(module: Module): Set<Parameter> {
  return new Set(layersOf(module).flatMap(({ layer }) => Object.values(layer.adapter?.namedParameters() ?? {})));
}

/** The modules in a model by path, without the adapters on its layers and what is in these. */
export function modulesOutsideAdapters(module: Module): (readonly [path: string, module: Module])[] {
  const inside = new Set(layersOf(module).flatMap(({ layer }) => Object.values(layer.adapter?.namedModules() ?? {})));
  return Object.entries(module.namedModules()).filter(([path, each]) => path !== '' && !inside.has(each));
}

/** Linear layers and embeddings, also such as are in adapters. */
export function layersOf(module: Module): { readonly path: string; readonly layer: Linear | Embedding }[] {
  return Object.entries(module.namedModules()).flatMap(([path, each]) =>
    each instanceof Linear || each instanceof Embedding ? [{ path, layer: each }] : [],
  );
}

/** Puts an adapter on the layer it was made for, or takes it off. */
export function setAdapter(layer: Linear | Embedding, adapter: LoraLinear | LoraEmbedding | undefined): void {
  // The compiler does not see that layer and adapter are of one kind.
  (layer as { setAdapter(adapter: unknown): void }).setAdapter(adapter);
}
