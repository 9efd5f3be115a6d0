import { ConfigError } from '../errors.js';
import { Embedding, Linear } from '../nn/layers.js';
import type { Module } from '../nn/module.js';
import { isOutputLayer } from '../nn/output-layer.js';
import { Parameter } from '../nn/parameter.js';
import { modulesOutsideAdapters } from './adapted-layers.js';
import type { LoraConfig } from './config.js';

/** A layer that gets an adapter. */
export interface LoraTarget {
  /** Of the layer in the module. */
  readonly path: string;
  readonly layer: Linear | Embedding;
  readonly rank: number;
  /** Factor of the product. */
  readonly scaling: number;
}

/** What a configuration means for a module. */
export interface LoraTargets {
  readonly layers: readonly LoraTarget[];
  /** Paths of the modules that train as a whole. */
  readonly saved: readonly string[];
  /** What the layers were found by. */
  readonly targetModules: string | readonly string[];
}

/** Where a model has its queries and values. */
const defaultTargets: readonly (readonly string[])[] = [
  ['q_proj', 'v_proj'],
  ['query', 'value'],
];

/**
 * Finds the layers that a configuration is about, as PEFT does.
 *
 * @throws ConfigError if there are none, a name matches something that takes no adapter, a module to save does not
 *   exist, or an expression is no regular expression
 */
export function loraTargets(module: Module, config: LoraConfig, operation: string): LoraTargets {
  const modules = modulesOutsideAdapters(module);
  const saved = savedModules(modules, config, operation);
  const isSaved = (path: string) => saved.some((each) => path === each || path.startsWith(`${each}.`));
  const candidates = modules.filter(([path]) => !isSaved(path));
  const targetModules = config.targetModules ?? defaultsFor(candidates);
  const matched = candidates.filter(([path, each]) => isTarget(path, each, targetModules, config, operation));
  if (matched.length === 0) {
    throw new ConfigError({
      operation,
      expected: `layers that match ${JSON.stringify(targetModules)}`,
      received: `a ${module.constructor.name} without any`,
      remedy: `It has layers such as ${linearNames(modules).slice(0, 8).join(', ') || 'none that are linear'}.`,
    });
  }
  const unsuitable = matched.find(([, each]) => !(each instanceof Linear || each instanceof Embedding));
  if (unsuitable) {
    throw new ConfigError({
      operation,
      expected: 'linear layers and embeddings to put adapters on',
      received: `${unsuitable[0]}, a ${unsuitable[1].constructor.name}`,
      remedy: 'Name the layers in it, or exclude it.',
    });
  }
  const layers = matched.map(([path, each]) => {
    const rank = override(config.rankPattern, path, operation) ?? config.r;
    const alpha = override(config.alphaPattern, path, operation) ?? config.loraAlpha;
    const scaling = alpha / (config.useRslora ? Math.sqrt(rank) : rank);
    return { path, layer: each as Linear | Embedding, rank, scaling };
  });
  return { layers, saved, targetModules };
}

function savedModules(
  modules: readonly (readonly [string, Module])[],
  config: LoraConfig,
  operation: string,
): string[] {
  const saved = (config.modulesToSave ?? []).flatMap((name) => {
    const found = modules.filter(([path]) => isNamed(path, name));
    if (found.length > 0) return found;
    throw new ConfigError({
      operation,
      expected: `a module ${name} to train as a whole`,
      received: 'a model without one',
      remedy: 'Correct modulesToSave.',
    });
  });
  const quantized = saved.find(([, each]) => Object.values(each.namedModules()).some(isQuantized));
  if (quantized) {
    throw new ConfigError({
      operation,
      expected: 'modules of floats to train as a whole',
      received: `${quantized[0]}, which has quantized weights`,
      remedy: 'Leave it out of modulesToSave, or do not quantize it.',
    });
  }
  return saved.map(([path]) => path);
}

function isQuantized(module: Module): boolean {
  return module instanceof Linear && !(module.weight instanceof Parameter);
}

function isTarget(
  path: string,
  module: Module,
  targetModules: string | readonly string[],
  config: LoraConfig,
  operation: string,
): boolean {
  const { excludeModules } = config;
  if (excludeModules !== null && matches(path, excludeModules, operation)) return false;
  if (targetModules === 'all-linear') return module instanceof Linear && !isOutputLayer(path);
  if (typeof targetModules === 'string') return matches(path, targetModules, operation);
  // A whole path is meant as it is, whatever its layer's number.
  if (targetModules.includes(path)) return true;
  return matches(path, targetModules, operation) && isInChosenLayer(path, config, operation);
}

function matches(path: string, wanted: string | readonly string[], operation: string): boolean {
  if (typeof wanted === 'string') return expression(`^(?:${wanted})$`, operation).test(path);
  return wanted.some((name) => isNamed(path, name));
}

function isNamed(path: string, name: string): boolean {
  return path === name || path.endsWith(`.${name}`);
}

function isInChosenLayer(path: string, { layersToTransform, layersPattern }: LoraConfig, operation: string): boolean {
  const wanted = typeof layersToTransform === 'number' ? [layersToTransform] : (layersToTransform ?? []);
  if (wanted.length === 0) return true;
  const patterns = typeof layersPattern === 'string' ? [layersPattern] : (layersPattern ?? []);
  const names = patterns.filter((pattern) => pattern !== '');
  for (const name of names.length > 0 ? names : ['[^.]*']) {
    // The last number counts, as a greedy expression finds it.
    const found = expression(`^(?:.*\\.)?(?:${name})\\.(\\d+)\\.`, operation).exec(path);
    if (found) return wanted.includes(Number(found[1]));
  }
  return false;
}

/** The value whose key matches a path or its end. */
function override(values: Readonly<Record<string, number>>, path: string, operation: string): number | undefined {
  return Object.entries(values).find(([key]) => expression(`^(?:.*\\.)?(?:${key})$`, operation).test(path))?.[1];
}

function expression(source: string, operation: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new ConfigError({
      operation,
      expected: 'patterns that are regular expressions',
      received: source,
      remedy: 'Correct the pattern; a list of names needs none.',
      cause,
    });
  }
}

function defaultsFor(modules: readonly (readonly [string, Module])[]): readonly string[] {
  const hasAll = (names: readonly string[]) =>
    names.every((name) => modules.some(([path, each]) => each instanceof Linear && isNamed(path, name)));
  return defaultTargets.find(hasAll) ?? defaultTargets[0]!;
}

function linearNames(modules: readonly (readonly [string, Module])[]): string[] {
  return [...new Set(modules.flatMap(([path, each]) => (each instanceof Linear ? [path.split('.').at(-1)!] : [])))];
}
