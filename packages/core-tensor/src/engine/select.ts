import { ConfigError } from '../errors.js';
import type { CudaOptions } from './cuda/options.js';
import type { Engine } from './engine.js';
import type { OrtOptions } from './ort/options.js';

/** Options of each engine. */
export interface EngineOptions {
  /** onnxruntime-node, in a worker thread. */
  readonly ort: OrtOptions;
  /** TensorFlow.js on one of its backends; needs `@tensorflow/tfjs-core` and the backend's package. */
  readonly tfjs: { readonly backend?: 'wasm' | 'cpu' | 'tensorflow' };
  /** One NVIDIA card, through the driver, NVRTC and cuBLASLt of the machine; needs the package `koffi`. */
  readonly cuda: CudaOptions;
  /** Plain TypeScript in float64: slow and exact, for tests. */
  readonly reference: Record<never, never>;
}

/** A name by which an engine is chosen. */
export type EngineName = keyof EngineOptions;

/** Engines are loaded when they are first chosen, so that none costs anything to those who use another. */
const starters: { readonly [Name in EngineName]: (options: EngineOptions[Name]) => Promise<Engine> } = {
  ort: async (options) => (await import('./ort/ort-engine.js')).startOrtEngine(options),
  tfjs: async (options) => (await import('./tfjs/tfjs-engine.js')).startTfjsEngine(options),
  cuda: async (options) => (await import('./cuda/cuda-engine.js')).startCudaEngine(options),
  reference: async () => (await import('./reference/reference-engine.js')).startReferenceEngine(),
};

/** Names by which engines are chosen. */
export const engineNames = Object.keys(starters) as readonly EngineName[];

let current: Promise<Engine> | undefined;

/**
 * Chooses the engine that computes from now on, and starts it. Without a call, `OCELLI_ENGINE` decides; its default is
 * `ort`. The engine used before keeps running: it holds tensors, which move over when they are used. If the new one
 * does not start, the one before stays in use.
 *
 * @throws ConfigError for an unknown name or option; EngineError if the engine does not start.
 */
export async function useEngine<Name extends EngineName>(
  name: Name,
  options: Partial<EngineOptions[Name]> = {},
): Promise<Engine> {
  return choose('useEngine', name, options);
}

async function choose(operation: string, name: string, options: object): Promise<Engine> {
  if (!Object.hasOwn(starters, name)) {
    throw new ConfigError({ operation, expected: `one of ${engineNames.join(', ')}`, received: JSON.stringify(name) });
  }
  const start = starters[name as EngineName] as (options: unknown) => Promise<Engine>;
  const previous = current;
  const started = start(options);
  current = started;
  started.catch(() => {
    if (current === started) current = previous;
  });
  return started;
}

/** The engine in use; starts it when it is first needed. */
export async function currentEngine(): Promise<Engine> {
  return current ?? choose('OCELLI_ENGINE', process.env.OCELLI_ENGINE || 'ort', {});
}

/** @internal Forgets an engine that stopped, so that the next use starts another. */
export function forgetEngine(engine: Engine): void {
  const chosen = current;
  chosen?.then(
    (each) => {
      if (each === engine && current === chosen) current = undefined;
    },
    () => undefined,
  );
}

/** Stops the engine in use, if one was started. A program that is done calls it so that Node can exit at once. */
export async function closeEngine(): Promise<void> {
  const chosen = current;
  current = undefined;
  await (await chosen)?.close();
}
