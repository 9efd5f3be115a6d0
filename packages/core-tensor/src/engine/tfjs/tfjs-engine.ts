import { EngineError, OcelliError } from '../../errors.js';
import type { OperationNode } from '../../graph/graph.js';
import { sizeOf } from '../../graph/shape.js';
import type { Engine } from '../engine.js';
import { createLocalEngine } from '../local-engine.js';
import { elementwiseLowerings } from './elementwise.js';
import { indexingLowerings } from './indexing.js';
import { loadTfjs, type TfjsBackend } from './load.js';
import { heldAs, type Tfjs, type TfjsLowerings, type TfjsTensor } from './lowering.js';
import { productLowerings } from './product.js';
import { quantizedLowerings } from './quantized.js';
import { rearrangementLowerings } from './rearrangement.js';
import { reductionLowerings } from './reduction.js';
import { specialLowerings } from './special.js';
import { fromHost, toHost } from './values.js';

/** Every primitive; a missing one fails compilation. */
const lowerings: TfjsLowerings = {
  ...elementwiseLowerings,
  ...reductionLowerings,
  ...productLowerings,
  ...quantizedLowerings,
  ...rearrangementLowerings,
  ...indexingLowerings,
  ...specialLowerings,
};

export interface TfjsOptions {
  /** Default: `wasm`. `tensorflow` is the native library of `@tensorflow/tfjs-node` or `-gpu`. */
  readonly backend?: TfjsBackend;
}

/**
 * Starts the `tfjs` engine: TensorFlow.js in the calling thread. It holds all floats as float32 (16-bit floats are
 * rounded by casts and when they are read, not by other operations) and all integers as int32: an int64 beyond that is
 * refused at upload, and arithmetic wraps around at 32 bits.
 *
 * @throws EngineError if a package is missing; the message has the command that installs it.
 */
export async function startTfjsEngine({ backend = 'wasm' }: TfjsOptions = {}): Promise<Engine> {
  const tf = await loadTfjs(backend);
  const own = tf.backend();
  /** TensorFlow.js has one active backend; another engine may have made its own active. Initialised ones switch at once. */
  const activated = (): Tfjs => {
    if (tf.backend() !== own) void tf.setBackend(backend);
    return tf;
  };
  return createLocalEngine<TfjsTensor>({
    name: 'tfjs',
    fromHost: (data, shape, dtype) => tf.keep(fromHost(activated(), data, shape, dtype)),
    toHost: (value, dtype) => toHost(value, dtype),
    apply: (node, inputs) => tf.keep(compute(activated(), node, inputs)),
    share: (value) => tf.keep(activated().clone(value)),
    dispose: (value) => value.dispose(),
  });
}

function compute(tf: Tfjs, node: OperationNode, inputs: readonly TfjsTensor[]): TfjsTensor {
  const lowering = lowerings[node.op] as (tf: Tfjs, node: OperationNode, inputs: readonly TfjsTensor[]) => TfjsTensor;
  if (sizeOf(node.shape) === 0) return tf.zeros([...node.shape], heldAs(node.dtype));
  try {
    return tf.tidy(() => {
      const result = lowering(tf, node, inputs);
      return inputs.includes(result) ? tf.clone(result) : result;
    });
  } catch (error) {
    if (error instanceof OcelliError) throw error;
    throw new EngineError({
      operation: `tfjs engine: ${node.op}`,
      expected: `the ${tf.getBackend()} backend to succeed`,
      received: error instanceof Error ? error.message : String(error),
      remedy: 'Another backend or engine may support it.',
      cause: error,
    });
  }
}
