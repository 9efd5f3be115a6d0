import { dispose } from '../engine/dispose.js';
import { ConfigError } from '../errors.js';
import type { Embedding, Linear } from '../nn/layers.js';
import type { Module } from '../nn/module.js';
import { Parameter } from '../nn/parameter.js';
import { add, sub } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import { type AdaptedLayer, adaptedLayers, layersOf, setAdapter } from './adapted-layers.js';
import type { LoraEmbedding, LoraLinear } from './adapter.js';

/** Adapters whose product is part of their layer's weight at present. */
const merged = new WeakMap<Linear | Embedding, LoraLinear | LoraEmbedding>();

/**
 * Adds the products of all low-rank adapters to the weights they stand beside, and takes the adapters off: the model is
 * a plain one that computes the same. {@link unmergeLora} turns it back, up to rounding.
 *
 * @throws ConfigError if there are no adapters, or one is on a quantized weight; nothing is merged then
 */
export async function mergeLora(module: Module): Promise<void> {
  const layers = requireAny(adaptedLayers(module), 'mergeLora');
  for (const each of layers) requireFloatWeight(each);
  for (const { layer, adapter } of layers) {
    await change(layer, adapter, add);
    setAdapter(layer, undefined);
    merged.set(layer, adapter);
  }
}

/**
 * Subtracts what {@link mergeLora} added, and puts the adapters on again.
 *
 * @throws ConfigError if nothing is merged, or a layer got another adapter or a quantized weight meanwhile; nothing is
 *   changed then
 */
export async function unmergeLora(module: Module): Promise<void> {
  const layers = requireAny(mergedLayers(module), 'unmergeLora');
  for (const each of layers) requireFloatWeight(each);
  const taken = layers.find(({ layer }) => layer.adapter);
  if (taken) {
    throw new ConfigError({
      operation: 'unmergeLora',
      expected: 'merged layers without further adapters',
      received: `${taken.path}, which has one`,
      remedy: 'Take it off with removeLora first.',
    });
  }
  for (const { layer, adapter } of layers) {
    await change(layer, adapter, sub);
    merged.delete(layer);
    setAdapter(layer, adapter);
  }
}

/**
 * Takes all low-rank adapters off a model. What they learned is lost unless it was merged: merged products stay in the
 * weights, and can no longer be taken out. What trains stays as it is: `unfreeze` the rest where it shall train.
 */
export function removeLora(module: Module): void {
  for (const { layer } of adaptedLayers(module)) setAdapter(layer, undefined);
  for (const { layer } of layersOf(module)) merged.delete(layer);
}

/** Whether adapters of a model are merged into its weights. */
export function isLoraMerged(module: Module): boolean {
  return mergedLayers(module).length > 0;
}

function mergedLayers(module: Module): AdaptedLayer[] {
  return layersOf(module).flatMap(({ path, layer }) => {
    const adapter = merged.get(layer);
    return adapter ? [{ path, layer, adapter }] : [];
  });
}

function requireAny(layers: readonly AdaptedLayer[], operation: string): readonly AdaptedLayer[] {
  if (layers.length > 0) return layers;
  throw new ConfigError({
    operation,
    expected: operation === 'mergeLora' ? 'a model with low-rank adapters on' : 'a model with merged adapters',
    received: 'one without',
    remedy: operation === 'mergeLora' ? 'Put adapters on with applyLora or loadLora.' : 'Merge them with mergeLora.',
  });
}

function requireFloatWeight({ path, layer }: AdaptedLayer): void {
  if (layer.weight instanceof Parameter) return;
  throw new ConfigError({
    operation: 'mergeLora',
    expected: 'adapters on weights of floats',
    received: `one on ${path}, whose weight is quantized`,
    remedy: 'Keep the adapter beside the quantized weight, or load the float weights, merge, and quantize then.',
  });
}

/** One layer at a time, so that no more than one product is in memory. */
async function change(layer: Linear | Embedding, adapter: LoraLinear | LoraEmbedding, by: typeof add): Promise<void> {
  const weight = layer.weight as Parameter;
  const changed = cast(by(cast(weight, 'float32'), adapter.delta()), weight.dtype);
  weight.set(await changed.data());
  dispose([changed]);
}
