import { join } from 'node:path';
import type { Module } from '@ocelli/core-tensor';
import { type EncoderEntry, encoders, loadEncoder, loadRoberta } from '@ocelli/encoders';
import { decoderArchitectures, loadLlama } from '@ocelli/language';
import { loadModel, modelKinds } from '@ocelli/vlm';
import { exists } from './open-weights.js';

/** What is known of a checkpoint before it is opened. */
export interface CheckpointFacts {
  readonly path: string;
  /** Its `config.json`; empty where there is none. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A kind of model that can be loaded. */
export interface ModelReader {
  /** Whether a checkpoint is of this kind. */
  readonly recognises: (facts: CheckpointFacts) => boolean | Promise<boolean>;
  readonly load: (path: string) => Promise<Module>;
  /** What it is called. */
  readonly kind: (module: Module, facts: CheckpointFacts) => string;
  /** Whether it is asked because no other one is left. */
  readonly isLast?: boolean;
}

const encoderReader: ModelReader = {
  recognises: () => true,
  load: (path) => loadEncoder(path),
  kind: (module) => `${configOf(module).type} vision encoder`,
  isLast: true,
};

const readers: readonly ModelReader[] = [
  {
    recognises: ({ config }) => Object.hasOwn(modelKinds, String(config.type)),
    load: (path) => loadModel(path),
    kind: (_, { config }) => `${config.type} model`,
  },
  {
    recognises: async ({ path, config }) =>
      Object.hasOwn(decoderArchitectures, String(config.model_type)) ||
      (config.model_type === undefined && (await exists(join(path, 'params.json')))),
    load: (path) => loadLlama(path),
    kind: (_, { config }) => `${config.model_type ?? 'llama'} decoder`,
  },
  {
    recognises: ({ config }) => config.model_type === 'roberta',
    load: async (path) => (await loadRoberta(path)).model,
    kind: () => 'roberta text encoder',
  },
];

/** The reader of a checkpoint; that of vision encoders, which are known by their tensors too, where no other is. */
export async function readerOf(facts: CheckpointFacts): Promise<ModelReader> {
  for (const reader of readers) if (await reader.recognises(facts)) return reader;
  return encoderReader;
}

/** Every `model_type` that can be loaded. */
export function knownModels(): string[] {
  const visual = Object.values<EncoderEntry>(encoders).flatMap(({ modelTypes }) => modelTypes);
  return [...Object.keys(decoderArchitectures), 'roberta', ...visual];
}

/** The structure of a module, where it says so. */
export function configOf(module: Module): Readonly<Record<string, unknown>> {
  const { config } = module as Module & { config?: unknown };
  return typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
}
