import type { StreamKey } from '../ops/random.js';
import { recordingContext } from './recording-context.js';

const context = recordingContext<StreamKey>('withTrainingKey');

/**
 * Records a function as training: layers that drop something at random and are not passed a key themselves, such as
 * adapters put on a finished model, derive theirs from this one. Without it nothing is dropped, as in evaluation.
 * Parts wrapped in `checkpoint` remember the key, so that what they compute again drops the same.
 *
 * @param key of the step; a root that is an argument of a compiled function draws anew in every run.
 * @example
 * ```ts
 * const step = compile((batch: Batch, root: Tensor) =>
 *   withTrainingKey(streamKey(root), () => valueAndGrad(() => model.loss(batch), model.trainableParameters())),
 * );
 * ```
 * @throws GraphError if the function is async: what it records later would drop nothing
 */
export function withTrainingKey<Result>(key: StreamKey | undefined, fn: () => Result): Result {
  return context.run(key, fn);
}

/** The key that is in force where an operation is being recorded; undefined in evaluation. */
export function trainingKey(): StreamKey | undefined {
  return context.current();
}
