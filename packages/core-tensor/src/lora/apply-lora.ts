import { ConfigError } from '../errors.js';
import type { Module, NamedParameters } from '../nn/module.js';
import { foldIn, type RandomKey, randomKey } from '../random/key.js';
import { adapterParameters, setAdapter } from './adapted-layers.js';
import { createLoraAdapter, type LoraAdapterOptions } from './adapter.js';
import { type LoraConfig, type LoraConfigInput, parseLoraConfig } from './config.js';
import { type LoraTarget, type LoraTargets, loraTargets } from './targets.js';

/** Options of {@link applyLora}. */
export interface ApplyLoraOptions {
  /** Of the adapters' first values, which depend on it and on their paths alone. Default: 0. */
  readonly seed?: number | RandomKey;
}

/**
 * Puts low-rank adapters on layers of a model, and freezes all else: y = W·x + b + s·B·A·dropout(x) with
 * s = loraAlpha / r (Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models"). Only the adapters train, and
 * what `bias` and `modulesToSave` name. Their parameters are named `PATH.adapter.lora_A.weight` [r, inputs] and
 * `PATH.adapter.lora_B.weight` [outputs, r]; those of an embedding `PATH.adapter.lora_embedding_A` [r, rows] and
 * `PATH.adapter.lora_embedding_B` [width, r].
 *
 * Adapters drop only where `withTrainingKey` surrounds the training step.
 *
 * @returns the configuration with all defaults filled in, for `saveLora`
 * @throws ConfigError if a field is invalid, no layer matches, or a match takes no adapter or has one already; the model
 *   is as before then
 */
export function applyLora(module: Module, config: LoraConfigInput, { seed = 0 }: ApplyLoraOptions = {}): LoraConfig {
  const operation = 'applyLora';
  const parsed = parseLoraConfig(config);
  const targets = loraTargets(module, parsed, operation);
  requireBare(targets, operation);
  freezeBeside(module, trainedBeside(module, parsed, targets));
  const key = typeof seed === 'number' ? randomKey(seed) : seed;
  for (const target of targets.layers) {
    const adapter = createLoraAdapter(target.layer, adapterOptions(target, parsed));
    setAdapter(target.layer, adapter.initialize(foldIn(key, target.path)));
  }
  const { targetModules: found } = targets;
  return { ...parsed, targetModules: typeof found === 'string' ? found : [...found] };
}

/** @internal Fails if a layer has an adapter already. */
export function requireBare({ layers }: LoraTargets, operation: string): void {
  const taken = layers.find(({ layer }) => layer.adapter);
  if (!taken) return;
  throw new ConfigError({
    operation,
    expected: 'layers without adapters',
    received: `${taken.path}, which has one`,
    remedy: 'Take it off with removeLora first; mergeLora before that keeps what it learned.',
  });
}

/** @internal What the adapter of a layer is built from. */
export function adapterOptions({ path, rank, scaling }: LoraTarget, config: LoraConfig): LoraAdapterOptions {
  return { path, rank, scaling, rate: config.loraDropout, start: config.initLoraWeights };
}

/** @internal Freezes a model but for some parameters; adapters stay as they are. */
export function freezeBeside(module: Module, trained: NamedParameters): void {
  const adapters = adapterParameters(module);
  const kept = new Set(Object.values(trained));
  for (const parameter of Object.values(module.namedParameters())) {
    if (!adapters.has(parameter)) parameter.requiresGrad = parameter.trainable && kept.has(parameter);
  }
}

/** @internal Parameters of the model itself that train: chosen biases, and modules that train as a whole. */
export function trainedBeside(module: Module, { bias }: LoraConfig, { layers, saved }: LoraTargets): NamedParameters {
  const inAdapters = adapterParameters(module);
  const adapted = new Set(layers.map(({ path }) => `${path}.bias`));
  const isTrained = (name: string) => {
    if (saved.some((path) => name.startsWith(`${path}.`))) return true;
    if (bias === 'lora_only') return adapted.has(name);
    return bias === 'all' && name.split('.').at(-1)!.includes('bias');
  };
  return Object.fromEntries(
    Object.entries(module.namedParameters()).filter(([name, each]) => !inAdapters.has(each) && isTrained(name)),
  );
}
