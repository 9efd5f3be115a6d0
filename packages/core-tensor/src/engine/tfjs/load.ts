import { ConfigError, EngineError } from '../../errors.js';
import type { Tfjs } from './lowering.js';

/** Where TensorFlow.js computes. */
export type TfjsBackend = 'wasm' | 'cpu' | 'tensorflow';

/** Packages that bring each backend; of several the first that is installed is taken. */
const packages: { readonly [Backend in TfjsBackend]: readonly string[] } = {
  wasm: ['@tensorflow/tfjs-backend-wasm'],
  cpu: ['@tensorflow/tfjs-backend-cpu'],
  tensorflow: ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'],
};

/**
 * Loads TensorFlow.js with a backend and makes it the active one.
 *
 * @throws ConfigError for an unknown backend.
 * @throws EngineError if a package is missing or the backend does not start.
 */
export async function loadTfjs(backend: TfjsBackend): Promise<Tfjs> {
  if (!Object.hasOwn(packages, backend)) {
    throw new ConfigError({
      operation: 'tfjs engine: start',
      expected: `backend to be one of ${Object.keys(packages).join(', ')}`,
      received: JSON.stringify(backend) ?? String(backend),
    });
  }
  // The native packages bring a core of their own.
  const tf =
    backend === 'tensorflow' ? ((await importFirst(packages.tensorflow)) as Tfjs) : await loadWithCore(backend);
  if (!(await tf.setBackend(backend))) {
    throw new EngineError({
      operation: 'tfjs engine: start',
      expected: `the ${backend} backend to start`,
      received: 'a backend that failed to initialise',
      remedy: 'Choose another backend, or the ort engine.',
    });
  }
  firstUse(tf);
  return tf;
}

async function loadWithCore(backend: 'wasm' | 'cpu'): Promise<Tfjs> {
  const tf = (await importFirst(['@tensorflow/tfjs-core'], packages[backend])) as Tfjs;
  await importFirst(packages[backend]);
  return tf;
}

async function importFirst(names: readonly string[], alongside: readonly string[] = []): Promise<unknown> {
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      const module = (await import(/* @vite-ignore */ name)) as { readonly default?: unknown };
      return module.default ?? module;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new EngineError({
    operation: 'tfjs engine: start',
    expected: `the package ${names.join(' or ')}`,
    received: failures
      .map((error) => (error instanceof Error ? error.message : String(error)).split('\n')[0])
      .join('; '),
    remedy: `Install it: npm install ${[names.at(-1), ...alongside].join(' ')}`,
    cause: failures[0],
  });
}

/** The cpu backend prints an advertisement when it is first used, except in production mode. */
function firstUse(tf: Tfjs): void {
  const mode = tf.env().getBool('PROD');
  tf.env().set('PROD', true);
  tf.scalar(0).dispose();
  tf.env().set('PROD', mode);
}
