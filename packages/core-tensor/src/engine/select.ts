import { ConfigError } from '../errors.js';
import type { Engine } from './engine.js';
import type { OrtOptions } from './ort/options.js';

/** Options of each engine. */
export interface EngineOptions {
  /** onnxruntime-node, in a worker thread. */
  readonly ort: OrtOptions;
  /** TensorFlow.js on one of its backends; needs `@tensorflow/tfjs-core` and the backend's package. */
  readonly tfjs: { readonly backend?: 'wasm' | 'cpu' | 'tensorflow' };
  /** Plain TypeScript in float64: slow and exact, for tests. */
  readonly reference: Record<never, never>;
}

export type EngineName = keyof EngineOptions;

/** Engines are loaded when they are first chosen, so that none costs anything to those who use another. */
const starters: { readonly [Name in EngineName]: (options: EngineOptions[Name]) => Promise<Engine> } = {
  ort: async (options) => (await import('./ort/ort-engine.js')).startOrtEngine(options),
  tfjs: async (options) => (await import('./tfjs/tfjs-engine.js')).startTfjsEngine(options),
  reference: async () => (await import('./reference/reference-engine.js')).startReferenceEngine(),
};

/** Names by which engines are chosen. */
export const engineNames = Object.keys(starters) as readonly EngineName[];

let current: Promise<Engine> | undefined;

/**
 * Chooses the engine that computes from now on, and starts it. Without a call, `OCELLI_ENGINE` decides; its default is `ort`.
 *
 * @throws ConfigError for an unknown name.
 */
export async function useEngine<Name extends EngineName>(name: Name, options: Partial<EngineOptions[Name]> = {}): Promise<Engine> {
  const start = starters[name] as ((options: unknown) => Promise<Engine>) | undefined;
  if (!start) {
    throw new ConfigError({ operation: 'useEngine', expected: `one of ${engineNames.join(', ')}`, received: JSON.stringify(name) });
  }
  const started = start(options);
  current = started;
  return started;
}

/** The engine in use; starts it when it is first needed. */
export async function currentEngine(): Promise<Engine> {
  current ??= useEngine((process.env.OCELLI_ENGINE || 'ort') as EngineName);
  return current;
}

/** @internal Forgets an engine that stopped, so that the next use starts another. */
export function forgetEngine(engine: Engine): void {
  const chosen = current;
  void chosen?.then((each) => {
    if (each === engine && current === chosen) current = undefined;
  });
}

/** Stops the engine in use, if one was started. A program that is done calls it so that Node can exit at once. */
export async function closeEngine(): Promise<void> {
  const chosen = current;
  current = undefined;
  await (await chosen)?.close();
}
